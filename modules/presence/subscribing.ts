// Subscription stanzas (RFC 6121 §3) on both sides. The state machine is the roster's; here it meets
// the phases: addresses are stamped in amend, the change is written in record, and what the account's
// clients see follows in deliver and copy. Both sides of a local pair are one transaction.
//
// A stanza that changes the sender's side and goes nowhere (an approval in advance, §3.4.1) is the
// account's own affair, as presence to nobody is: amend marks it so, and the router leaves it here.

import type { Host } from '../../lib/core/host.js'
import { handled, type Handled, type Passage } from '../../lib/core/pipeline.js'
import { type Wire, xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { inState, type Item } from '../roster/item.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import type { Roster } from '../roster/roster-cache.js'
import type { RosterApi } from '../roster/roster.js'
import type { Change, Owner } from '../roster/rosters.js'
import type { Availability } from './availability.js'
import { inbound, isSubscriptionType, outbound } from '../roster/subscriptions.js'
import type { SubscriptionType } from '../roster/subscriptions.js'

/** LIM-subscription-requests: that wait for one account's answer */
const MOST_REQUESTS = 200
/** LIM-subscription-request-size: octets that are kept of one */
const MOST_OCTETS = 4096

interface Receiving {
  readonly envelope: Envelope
  readonly passage: Passage
  readonly owner: Owner
  readonly roster: Roster
}

export const SEEN = 'subscription stanza'

/** JSON of what one node tells the others */
export interface Seen {
  readonly stanza: Wire
  readonly from: string
  readonly to: string
  readonly arrived: number
}

export class Subscribing {
  readonly #host: Host
  readonly #rosters: RosterApi
  readonly #availability: Availability
  readonly #changes = new WeakMap<Envelope, Change>()
  readonly #answers = new WeakMap<Envelope, Change>()

  constructor(host: Host, rosters: RosterApi, availability: Availability) {
    this.#host = host
    this.#rosters = rosters
    this.#availability = availability
  }

  // The sender's side

  checkSent(envelope: Envelope, passage: Passage): Later<void> {
    const { type } = envelope.stanza
    const to = envelope.to.bare
    if (!envelope.addressed) throw new StanzaError('bad-request', `whom to ${type}?`)
    if (to.equals(passage.account)) throw new StanzaError('not-allowed', 'this is your own address')
    if (type === 'unsubscribe' || type === 'unsubscribed') return undefined
    return whenKnown(this.#rosters.of(passage.session!.number), (roster) => {
      this.#rosters.checkRoom(roster, to)
    })
  }

  /** §3.1.2: both addresses are stamped as bare. */
  stampSent(envelope: Envelope, passage: Passage): Later<Envelope> {
    const stamped = envelope.with({ from: envelope.from.bare, to: envelope.to.bare })
    return whenKnown(this.#rosters.of(passage.session!.number), (roster) => {
      const { route } = outbound(roster.item(stamped.to), typeOf(envelope))
      return route ? stamped : stamped.with({ addressed: false })
    })
  }

  recordSent(envelope: Envelope, passage: Passage): Later<void> {
    const owner = { jid: passage.account, number: passage.session!.number }
    const alter = (item: Item): Item => inState(item, outbound(item, typeOf(envelope)).next)
    const wanted = { contact: envelope.to, alter }
    return whenKnown(this.#rosters.of(owner.number), (roster) => {
      if (this.#rosters.isIdle(roster, wanted)) return
      const change = this.#rosters.change(passage, owner, wanted)
      this.#changes.set(envelope, change)
      passage.after(() => this.#rosters.push(change))
    })
  }

  /** For what stayed with the sender: goes after all where the contact asked in the meantime. */
  finishSent(envelope: Envelope): Handled {
    const change = this.#changes.get(envelope)
    const { stanza, from, to } = envelope
    if (change && outbound(change.before, typeOf(envelope)).route) {
      this.#host.router.send(stanza, { from, to })
    }
    return handled
  }

  // The recipient's side

  stampReceived(envelope: Envelope): Envelope | undefined {
    if (envelope.from.isBare && envelope.to.isBare) return undefined
    return envelope.with({ from: envelope.from.bare, to: envelope.to.bare })
  }

  recordReceived(envelope: Envelope, passage: Passage): Later<void> {
    // The two may never have heard of each other: where the account is now is asked anew.
    this.#host.server.directory.doubt(envelope.to.bare.text)
    const decided = this.#rosters.decided.get(envelope.stanza)
    if (decided) return void this.#changes.set(envelope, decided)
    return whenKnown(this.#rosters.owner(passage.account), (owner) => {
      if (!owner) return undefined
      return whenKnown(this.#rosters.of(owner.number), (roster) => {
        const item = roster.item(envelope.from)
        if (envelope.stanza.type === 'subscribe') this.#checkRequests(roster, item)
        return this.#recordKnown({ envelope, passage, owner, roster })
      })
    })
  }

  #checkRequests(roster: Roster, item: Item): void {
    if (item.pendingIn || roster.requests().length < MOST_REQUESTS) return
    throw new StanzaError('resource-constraint', 'too many requests wait for an answer')
  }

  /** Whoever sends what changes nothing causes no write. */
  #recordKnown({ envelope, passage, owner, roster }: Receiving): Later<void> {
    const contact = envelope.from
    const alter = (item: Item): Item => altered(item, envelope)
    const { approve } = inbound(roster.item(contact), typeOf(envelope))
    if (!approve && this.#rosters.isIdle(roster, { contact, alter })) return undefined
    const change = this.#rosters.change(passage, owner, { contact, alter })
    this.#changes.set(envelope, change)
    if (!approve) return undefined
    return whenKnown(this.#rosters.owner(contact), (asker) => {
      if (asker) this.#answers.set(envelope, this.#recordAnswer(passage, change, asker))
    })
  }

  /** Where who asks lives here too, the answer in the account's name is part of the transaction. */
  #recordAnswer(passage: Passage, change: Change, asker: Owner): Change {
    const alter = (item: Item): Item =>
      inbound(change.before, 'subscribe').approve
        ? inState(item, inbound(item, 'subscribed').next)
        : item
    return this.#rosters.change(passage, asker, { contact: change.owner.jid, alter })
  }

  /** What changed nothing is not shown (appendix A.3); the rest goes to all available resources. */
  deliverReceived(envelope: Envelope): Handled | undefined {
    const change = this.#changes.get(envelope)
    if (!change) return handled
    const { deliver, approve } = inbound(change.before, typeOf(envelope))
    if (approve) this.#approve(envelope, change)
    return deliver ? undefined : handled
  }

  /** §3.1.3, §3.4.2: in the account's name. */
  #approve(envelope: Envelope, change: Change): void {
    this.#rosters.push(change)
    const stanza = Stanza.of(xml('presence', { type: 'subscribed', id: this.#rosters.quietId }))
    const answer = this.#answers.get(envelope)
    if (answer) this.#rosters.decided.set(stanza, answer)
    const { owner, now, before } = change
    this.#host.router.send(stanza, { from: owner.jid, to: now.contact })
    // It asks because it does not know that it is subscribed, and so missed the presence too.
    if (now === before) this.#availability.show(owner.jid, now.contact)
  }

  /** §3.1.6, §3.2.3, §3.3.3: interested resources see it too, and the push comes after it. */
  copyReceived(envelope: Envelope, passage: Passage): void {
    const change = this.#changes.get(envelope)
    if (!change) return
    const asks = envelope.stanza.type === 'subscribe'
    for (const session of this.#host.sessions.of(passage.account)) {
      const got = passage.delivered.some((jid) => jid.equals(session.jid))
      if (session.interested && !got && !asks) session.write(envelope)
    }
    if (!asks) this.#tellOthers(envelope)
    this.#rosters.push(change)
  }

  #tellOthers({ stanza, from, to, arrived }: Envelope): void {
    const seen: Seen = { stanza: stanza.render('', ''), from: from.text, to: to.text, arrived }
    this.#host.tellOthers(SEEN, seen)
  }

  /** Of another node: those that are available got it by the ordinary road. */
  heard({ stanza, from, to, arrived }: Seen): void {
    const account = Jid.parse(to)
    const addresses = { from: Jid.parse(from), to: account, origin: 'local', arrived } as const
    const envelope = new Envelope({ stanza: Stanza.parse(stanza), ...addresses })
    for (const session of this.#host.sessions.of(account))
      if (session.interested && !session.available) session.write(envelope)
  }
}

function typeOf({ stanza }: Envelope): SubscriptionType {
  if (isSubscriptionType(stanza.type)) return stanza.type
  throw new Error(`${stanza.type} is no subscription stanza`)
}

function altered(item: Item, envelope: Envelope): Item {
  const { next } = inbound(item, typeOf(envelope))
  return inState(item, next, next.pendingIn ? kept(envelope.stanza) : '')
}

/** §3.1.3: the complete stanza, or as much of it as we keep of a stranger's. */
function kept(stanza: Stanza): string {
  for (const shorter of [stanza, stanza.without((child) => child.xmlns !== NS_CLIENT)]) {
    const wire = shorter.render('', '')
    if (wire.length <= MOST_OCTETS) return wire
  }
  return "<presence type='subscribe'/>"
}
