// Every cell of RFC 6121 appendix A, tables A.2.1 to A.3.4, and pre-approval beside them (§3.4).

import fc from 'fast-check'
import { test } from 'tap'
import {
  hasFrom,
  hasTo,
  inbound,
  outbound,
  type Subscription,
  type SubscriptionState,
  type SubscriptionType,
} from '../../../modules/roster/subscriptions.js'

/** Appendix A.1, in its order */
const states = ['none', 'none>', 'none<', 'none<>', 'to', 'to<', 'from', 'from>', 'both'] as const
type Name = (typeof states)[number]

/** '>' is pending out, '<' is pending in. */
function state(name: Name, approved = false): SubscriptionState {
  return {
    subscription: name.replace(/[<>]/g, '') as Subscription,
    pendingOut: name.includes('>'),
    pendingIn: name.includes('<'),
    approved,
  }
}

function nameOf({ subscription, pendingIn, pendingOut }: SubscriptionState): string {
  return subscription + (pendingIn ? '<' : '') + (pendingOut ? '>' : '')
}

/** A row: whether the stanza goes on, then the state afterwards; '=' is no change. */
type Cell = readonly [goes: boolean, next: Name | '=']
type Table = Readonly<Record<Name, Cell>>

const sent: Record<SubscriptionType, { clause: string; table: Table }> = {
  subscribe: {
    clause: 'A.2.1',
    table: {
      none: [true, 'none>'],
      'none>': [true, '='],
      'none<': [true, 'none<>'],
      'none<>': [true, '='],
      to: [true, '='],
      'to<': [true, '='],
      from: [true, 'from>'],
      'from>': [true, '='],
      both: [true, '='],
    },
  },
  unsubscribe: {
    clause: 'A.2.2',
    table: {
      none: [true, '='],
      'none>': [true, 'none'],
      'none<': [true, '='],
      'none<>': [true, 'none<'],
      to: [true, 'none'],
      'to<': [true, 'none<'],
      from: [true, '='],
      'from>': [true, 'from'],
      both: [true, 'from'],
    },
  },
  subscribed: {
    clause: 'A.2.3',
    table: {
      none: [false, '='],
      'none>': [false, '='],
      'none<': [true, 'from'],
      'none<>': [true, 'from>'],
      to: [false, '='],
      'to<': [true, 'both'],
      from: [false, '='],
      'from>': [false, '='],
      both: [false, '='],
    },
  },
  unsubscribed: {
    clause: 'A.2.4',
    table: {
      none: [false, '='],
      'none>': [false, '='],
      'none<': [true, 'none'],
      'none<>': [true, 'none>'],
      to: [false, '='],
      'to<': [true, 'to'],
      from: [true, 'none'],
      'from>': [true, 'none>'],
      both: [true, 'to'],
    },
  },
}

const received: Record<SubscriptionType, { clause: string; table: Table }> = {
  subscribe: {
    clause: 'A.3.1',
    table: {
      none: [true, 'none<'],
      'none>': [true, 'none<>'],
      'none<': [false, '='],
      'none<>': [false, '='],
      to: [true, 'to<'],
      'to<': [false, '='],
      from: [false, '='],
      'from>': [false, '='],
      both: [false, '='],
    },
  },
  unsubscribe: {
    clause: 'A.3.2',
    table: {
      none: [false, '='],
      'none>': [false, '='],
      'none<': [true, 'none'],
      'none<>': [true, 'none>'],
      to: [false, '='],
      'to<': [true, 'to'],
      from: [true, 'none'],
      'from>': [true, 'none>'],
      both: [true, 'to'],
    },
  },
  subscribed: {
    clause: 'A.3.3',
    table: {
      none: [false, '='],
      'none>': [true, 'to'],
      'none<': [false, '='],
      'none<>': [true, 'to<'],
      to: [false, '='],
      'to<': [false, '='],
      from: [false, '='],
      'from>': [true, 'both'],
      both: [false, '='],
    },
  },
  unsubscribed: {
    clause: 'A.3.4',
    table: {
      none: [false, '='],
      'none>': [true, 'none'],
      'none<': [false, '='],
      'none<>': [true, 'none<'],
      to: [true, 'none'],
      'to<': [true, 'none<'],
      from: [false, '='],
      'from>': [true, 'from'],
      both: [true, 'from'],
    },
  },
}

const kinds = Object.keys(sent) as SubscriptionType[]

for (const type of kinds) {
  test(`what an account's own ${type} does in each state (RFC 6121 appendix ${sent[type].clause})`, (t) => {
    for (const name of states) {
      const [route, next] = sent[type].table[name]
      const result = outbound(state(name), type)
      t.equal(result.route, route, `${name}: routed`)
      t.equal(nameOf(result.next), next === '=' ? name : next, `${name}: next`)
    }
    t.end()
  })

  test(`what ${type} of a contact does in each state (RFC 6121 appendix ${received[type].clause})`, (t) => {
    for (const name of states) {
      const [deliver, next] = received[type].table[name]
      const before = state(name)
      const result = inbound(before, type)
      t.equal(result.deliver, deliver, `${name}: delivered`)
      t.equal(nameOf(result.next), next === '=' ? name : next, `${name}: next`)
      if (next === '=') t.equal(result.next, before, `${name}: the same object`)
    }
    t.end()
  })
}

test('who sees the account already is answered for it, others are not (RFC 6121 §3.1.3)', (t) => {
  for (const name of states) {
    const answered = name.startsWith('from') || name === 'both'
    t.equal(inbound(state(name), 'subscribe').approve, answered, name)
  }
  t.end()
})

test('an approval without a request is kept for later and goes nowhere (RFC 6121 §3.4.1)', (t) => {
  for (const name of ['none', 'none>', 'to'] as const) {
    const { next, route } = outbound(state(name), 'subscribed')
    t.same({ ...next, route }, { ...state(name, true), route: false }, name)
  }
  t.end()
})

test('an approval in advance answers the request when it comes (RFC 6121 §3.4.2)', (t) => {
  const expected: Partial<Record<Name, Name>> = { none: 'from', 'none>': 'from>', to: 'both' }
  for (const [before, after] of Object.entries(expected) as [Name, Name][]) {
    const result = inbound(state(before, true), 'subscribe')
    t.equal(nameOf(result.next), after, before)
    t.same([result.deliver, result.approve], [false, true], before)
  }
  t.end()
})

test('an approval in advance is taken back by unsubscribed alone (RFC 6121 §3.4, §4.3.2)', (t) => {
  for (const name of states) {
    t.equal(outbound(state(name, true), 'unsubscribed').next.approved, false, name)
    for (const type of kinds)
      t.ok(inbound(state(name, true), type).next.approved, `${type} ${name}`)
  }
  t.end()
})

type Party = 'one' | 'other'

/** Two accounts whose stanzas arrive at once: what the one sends is all that the other gets. */
class Pair {
  one = state('none')
  other = state('none')

  does(who: Party, type: SubscriptionType): void {
    const { next, route } = outbound(this[who], type)
    this[who] = next
    if (!route) return
    const whom = who === 'one' ? 'other' : 'one'
    const result = inbound(this[whom], type)
    this[whom] = result.next
    if (result.approve) this[who] = inbound(this[who], 'subscribed').next
  }

  /** RFC 6121 §2.5.2 */
  removes(who: Party): void {
    for (const type of ['unsubscribe', 'unsubscribed'] as const) this.does(who, type)
  }
}

test('whatever two accounts do, both sides agree (RFC 6121 appendix A)', (t) => {
  const step = fc.tuple(
    fc.constantFrom<Party>('one', 'other'),
    fc.constantFrom<SubscriptionType | 'remove'>(...kinds, 'remove'),
  )
  const agree = (one: SubscriptionState, other: SubscriptionState): boolean =>
    hasTo(one) === hasFrom(other) &&
    one.pendingOut === other.pendingIn &&
    !(one.pendingOut && hasTo(one)) &&
    !(one.pendingIn && hasFrom(one))
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const pair = new Pair()
    return steps.every(([who, what]) => {
      if (what === 'remove') pair.removes(who)
      else pair.does(who, what)
      return agree(pair.one, pair.other) && agree(pair.other, pair.one)
    })
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
  t.end()
})
