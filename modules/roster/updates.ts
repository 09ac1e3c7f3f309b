// Roster sets (RFC 6121 §2.3 to §2.5): a contact is added, changed or removed. Removing one ends the
// subscriptions both ways (§2.5.2); where the contact lives here too, its side is in the same
// transaction, and the stanzas that tell it only bring the news.

import type { Host } from '../../lib/core/host.js'
import type { IqRequest } from '../../lib/core/module.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { xml } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { blankItem, type Item, inState } from './item.js'
import { type ItemRequest, readItem } from './item-request.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import type { Change, Owner, Rosters } from './rosters.js'
import { hasFrom, hasTo, inbound, type SubscriptionType } from './subscriptions.js'

export function answerSet(host: Host, rosters: Rosters, request: IqRequest): Later<void> {
  const wanted = readItem(request.element, request.to.bare)
  return whenKnown(rosters.owner(request.to), (owner) => {
    if (!owner) throw new StanzaError('service-unavailable')
    if (wanted.remove) return remove({ host, rosters, request, owner }, wanted.contact)
    return put({ host, rosters, request, owner }, wanted)
  })
}

interface Setting {
  readonly host: Host
  readonly rosters: Rosters
  readonly request: IqRequest
  readonly owner: Owner
}

/** §2.3.2, §2.4.2: of all attributes and children, the name and the groups are the client's to set. */
function put({ rosters, request, owner }: Setting, wanted: ItemRequest): Later<void> {
  const { contact, name, groups } = wanted
  return whenKnown(rosters.of(owner.number), (roster) => {
    rosters.checkRoom(roster, contact)
    const alter = (item: Item): Item => ({ ...item, name, groups, listed: true })
    const change = rosters.change(request, owner, { contact, alter })
    request.after(() => rosters.pushAnyway(change))
  })
}

function remove(setting: Setting, contact: Jid): Later<void> {
  const { host, rosters, request, owner } = setting
  return whenKnown(rosters.of(owner.number), (roster) => {
    // §2.5.3
    if (!roster.item(contact).listed) throw new StanzaError('item-not-found')
    const alter = (item: Item): Item => ({ ...blankItem(contact), removed: item.removed })
    const change = rosters.change(request, owner, { contact, alter })
    request.after(() => rosters.push(change))
    const theirs = contact.domain === host.domain ? rosters.owner(contact) : undefined
    return whenKnown(theirs, (other) => endSubscriptions(setting, change, other))
  })
}

const ends: Record<'unsubscribe' | 'unsubscribed', (item: Item) => boolean> = {
  unsubscribe: (item) => hasTo(item) || item.pendingOut,
  unsubscribed: (item) => hasFrom(item) || item.pendingIn,
}

function endSubscriptions(setting: Setting, change: Change, other: Owner | undefined): void {
  for (const type of ['unsubscribe', 'unsubscribed'] as const) {
    const theirs = other && decide(setting, { change, other, type })
    setting.request.after(() => {
      if (ends[type](change.before)) tell(setting, change.now.contact, { type, theirs })
    })
  }
}

/** The contact's side of the same transaction. */
function decide(
  { rosters, request, owner }: Setting,
  { change, other, type }: { change: Change; other: Owner; type: 'unsubscribe' | 'unsubscribed' },
): Change {
  const alter = (item: Item): Item =>
    ends[type](change.before) ? inState(item, inbound(item, type).next) : item
  return rosters.change(request, other, { contact: owner.jid, alter })
}

function tell(
  { host, rosters, owner }: Setting,
  contact: Jid,
  news: { type: SubscriptionType; theirs: Change | undefined },
): void {
  const stanza = Stanza.of(xml('presence', { type: news.type, id: rosters.quietId }))
  if (news.theirs) rosters.decided.set(stanza, news.theirs)
  host.router.send(stanza, { from: owner.jid, to: contact })
}
