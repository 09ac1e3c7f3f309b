// The subscription state machine of RFC 6121 appendix A, pure: nine states between an account and a
// contact, four types of stanza in either direction, and pre-approval (§3.4) beside them. It says
// what becomes of the state and whether the stanza goes on. A state that does not change is returned
// as the same object.

export type Subscription = 'none' | 'to' | 'from' | 'both'
export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed'

export interface SubscriptionState {
  readonly subscription: Subscription
  /** We asked and wait for an answer. */
  readonly pendingOut: boolean
  /** The contact asked and waits for our answer. */
  readonly pendingIn: boolean
  /** A request of the contact is approved before it comes (§3.4). */
  readonly approved: boolean
}

export interface Outbound {
  readonly next: SubscriptionState
  /** Whether the stanza goes to the contact. */
  readonly route: boolean
}

export interface Inbound {
  readonly next: SubscriptionState
  /** Whether the account's clients see the stanza. */
  readonly deliver: boolean
  /** The server answers `subscribed` in the account's name. */
  readonly approve: boolean
}

const types = new Set<string>(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])

export function isSubscriptionType(type: string): type is SubscriptionType {
  return types.has(type)
}

/** We see the contact's presence. */
export function hasTo({ subscription }: SubscriptionState): boolean {
  return subscription === 'to' || subscription === 'both'
}

/** The contact sees our presence. */
export function hasFrom({ subscription }: SubscriptionState): boolean {
  return subscription === 'from' || subscription === 'both'
}

/** Appendix A.2: the account sends. */
export function outbound(state: SubscriptionState, type: SubscriptionType): Outbound {
  switch (type) {
    case 'subscribe':
      return { next: hasTo(state) ? state : changed(state, { pendingOut: true }), route: true }
    case 'unsubscribe':
      return { next: withoutTo(state), route: true }
    case 'subscribed':
      return approve(state)
    case 'unsubscribed':
      return {
        next: changed(withoutFrom(state), { approved: false }),
        route: state.pendingIn || hasFrom(state),
      }
  }
}

/** Appendix A.2.3; without a request it is an approval in advance (§3.4.1). */
function approve(state: SubscriptionState): Outbound {
  if (state.pendingIn) return { next: withFrom(state), route: true }
  if (hasFrom(state)) return { next: state, route: false }
  return { next: changed(state, { approved: true }), route: false }
}

/** Appendix A.3: the account receives. */
export function inbound(state: SubscriptionState, type: SubscriptionType): Inbound {
  switch (type) {
    case 'subscribe':
      return request(state)
    case 'unsubscribe':
      return delivered(withoutFrom(state), state)
    case 'subscribed':
      return delivered(state.pendingOut ? withTo(state) : state, state)
    case 'unsubscribed':
      return delivered(withoutTo(state), state)
  }
}

/** Appendix A.3.1; who is subscribed or approved already is answered at once (§3.1.3, §3.4.2). */
function request(state: SubscriptionState): Inbound {
  if (hasFrom(state)) return { next: state, deliver: false, approve: true }
  if (state.approved) return { next: withFrom(state), deliver: false, approve: true }
  return delivered(changed(state, { pendingIn: true }), state)
}

function delivered(next: SubscriptionState, before: SubscriptionState): Inbound {
  return { next, deliver: next !== before, approve: false }
}

function withTo(state: SubscriptionState): SubscriptionState {
  return changed(state, { subscription: hasFrom(state) ? 'both' : 'to', pendingOut: false })
}

function withoutTo(state: SubscriptionState): SubscriptionState {
  return changed(state, { subscription: hasFrom(state) ? 'from' : 'none', pendingOut: false })
}

function withFrom(state: SubscriptionState): SubscriptionState {
  return changed(state, { subscription: hasTo(state) ? 'both' : 'from', pendingIn: false })
}

function withoutFrom(state: SubscriptionState): SubscriptionState {
  return changed(state, { subscription: hasTo(state) ? 'to' : 'none', pendingIn: false })
}

function changed(state: SubscriptionState, changes: Partial<SubscriptionState>): SubscriptionState {
  const next = {
    subscription: changes.subscription ?? state.subscription,
    pendingOut: changes.pendingOut ?? state.pendingOut,
    pendingIn: changes.pendingIn ?? state.pendingIn,
    approved: changes.approved ?? state.approved,
  }
  return isSame(next, state) ? state : next
}

function isSame(one: SubscriptionState, other: SubscriptionState): boolean {
  return (
    one.subscription === other.subscription &&
    one.pendingOut === other.pendingOut &&
    one.pendingIn === other.pendingIn &&
    one.approved === other.approved
  )
}
