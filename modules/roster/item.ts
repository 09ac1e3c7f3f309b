// One contact of an account: what the account's clients see of it (RFC 6121 §2.1.2) and what only the
// server knows: a request that waits for an answer, and that an item was removed.

import { type Element, type Wire, xml } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Subscription, SubscriptionState } from './subscriptions.js'

export interface Item extends SubscriptionState {
  readonly contact: Jid
  /** '' when there is none */
  readonly name: string
  readonly groups: readonly string[]
  /** Clients are told of it. */
  readonly listed: boolean
  /** Clients were told of it once; kept so that they can be told what changed (§2.6). */
  readonly removed: boolean
  /** The contact's request as it came, while it waits (§3.1.3); '' when there is none */
  readonly request: Wire
  /** Of the roster, when this changed last */
  readonly version: number
}

export function blankItem(contact: Jid): Item {
  return {
    contact,
    name: '',
    groups: [],
    listed: false,
    removed: false,
    request: '',
    version: 0,
    subscription: 'none',
    pendingOut: false,
    pendingIn: false,
    approved: false,
  }
}

/** The item in another state; the same object where that is its own. */
export function inState(item: Item, state: SubscriptionState, request: Wire = item.request): Item {
  if (state === item) return item
  return { ...item, ...state, request: state.pendingIn ? request : '' }
}

/** What follows from a change: who is subscribed is listed, who was listed is remembered as removed. */
export function settled(item: Item, before: Item): Item {
  const listed = item.listed || item.subscription !== 'none' || item.pendingOut || item.approved
  return { ...item, listed, removed: !listed && (before.listed || before.removed) }
}

/** Whether clients see a difference. */
export function looksDifferent(one: Item, other: Item): boolean {
  if (one.listed !== other.listed) return true
  return one.listed && String(itemElement(one)) !== String(itemElement(other))
}

/** RFC 6121 §2.1.2; §2.5.2 where it was removed. */
export function itemElement(item: Item): Element {
  const jid = item.contact.text
  if (!item.listed) return xml('item', { jid, subscription: 'remove' })
  const attributes = {
    jid,
    name: item.name || undefined,
    subscription: item.subscription satisfies Subscription,
    ask: item.pendingOut ? 'subscribe' : undefined,
    approved: item.approved ? 'true' : undefined,
  }
  return xml('item', attributes, ...item.groups.map((group) => xml('group', {}, group)))
}
