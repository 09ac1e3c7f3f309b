// What moderators, admins and owners ask of a room about its people (XEP-0045 §8, §9, §10.3 to §10.8): the lists,
// and changes of them. All changes of a request are looked at before the first one is made.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { readNick } from '../entering.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import { inviteMember } from './inviting.js'
import { affiliationList, checkRoleList, maySeeList, roleList } from './lists.js'
import { NS_MUC_ADMIN } from '../presences.js'
import {
  type Actor,
  type AffiliationChange,
  actorOf,
  checkAffiliations,
  checkRole,
  type RoleChange,
} from './privileges.js'
import type { Room } from '../room.js'
import { isAffiliation, isAtLeast, isRole } from '../standing.js'
import { changeAffiliations, changeRoles, tellAccount } from './standing-changes.js'

/** LIM-admin-items: of one request */
const MOST_ITEMS = 200

export const administering: RoomFeature = {
  name: 'administering',
  iq: [
    { get: 'query', xmlns: NS_MUC_ADMIN, reads: true, answer: showLists },
    { set: 'query', xmlns: NS_MUC_ADMIN, answer: change },
  ],
}

function itemsOf({ element }: RoomRequest): Element[] {
  const items = element.getChildren('item')
  if (items.length === 0) throw new StanzaError('bad-request', 'an item is wanted')
  if (items.length > MOST_ITEMS) throw new StanzaError('resource-constraint', 'too many items')
  return items
}

function showLists(request: RoomRequest): Element {
  const { room, from } = request
  const actor = actorOf(room, from)
  const lists = itemsOf(request).slice(0, 4)
  return xml('query', NS_MUC_ADMIN, ...lists.flatMap((item) => showList(request, item, actor)))
}

function showList({ room, occupant, affiliation }: RoomRequest, item: Element, actor: Actor) {
  const { affiliation: list, role } = item.attrs
  if (isRole(role) && list === undefined) {
    checkRoleList(role, actor)
    return roleList(room, role)
  }
  if (!isAffiliation(list) || list === 'none' || role !== undefined)
    throw new StanzaError('bad-request', 'there is no such list')
  if (!maySeeList(room, list, { affiliation, role: occupant?.role ?? 'none' }))
    throw new StanzaError('forbidden', 'you may not see this list')
  return affiliationList(room, list)
}

async function change(request: RoomRequest): Promise<void> {
  const { room, from } = request
  const actor = actorOf(room, from)
  const items = itemsOf(request)
  for (const item of items) checkItem(item)
  const affiliations = items
    .filter(({ attrs }) => attrs.affiliation !== undefined)
    .map((item) => readAffiliation(room, item))
  const roles = items.filter(({ attrs }) => attrs.role !== undefined)
  const changes = roles.map((item) => readRole(room, item))
  checkOnce([...affiliations.map(({ jid }) => jid.text), ...changes.map(nickOf)])
  if (affiliations.length > 0) checkAffiliations(room, affiliations, actor)
  for (const one of changes) checkRole(room, one, actor)
  await affiliate(room, affiliations, actor)
  await changeRoles(room, changes, actor.nick)
}

function nickOf({ occupant }: RoleChange): string {
  return occupant.jid.text
}

/** §17.4 */
function checkItem({ attrs }: Element): void {
  if (attrs.affiliation !== undefined && attrs.role !== undefined)
    throw new StanzaError('bad-request', 'either an affiliation or a role')
  if (!isAffiliation(attrs.affiliation) && !isRole(attrs.role))
    throw new StanzaError('bad-request', 'an affiliation or a role is wanted')
}

function checkOnce(named: readonly string[]): void {
  if (new Set(named).size < named.length)
    throw new StanzaError('bad-request', 'nobody is named twice')
}

/** §10.3: of a full address the bare one counts. */
function readAffiliation(room: Room, item: Element): AffiliationChange {
  const { jid, nick, affiliation } = item.attrs
  const reason = item.getChildText('reason') ?? undefined
  if (jid === undefined) {
    const account = occupantOf(room, nick).account
    return { jid: account, affiliation, reason }
  }
  const parsed = Jid.tryParse(jid)?.bare
  if (!parsed) throw new StanzaError('jid-malformed')
  return { jid: parsed, affiliation, nick: nick && readNick(room, nick), reason }
}

function readRole(room: Room, item: Element): RoleChange {
  const { nick, role } = item.attrs
  const reason = item.getChildText('reason') ?? undefined
  return { occupant: occupantOf(room, nick), role, reason }
}

function occupantOf(room: Room, nick: string | undefined) {
  if (!nick) throw new StanzaError('bad-request', 'a nick is wanted')
  const occupant = room.occupants.byNick(nick)
  if (!occupant) throw new StanzaError('item-not-found', 'nobody here has this nick')
  return occupant
}

/** Who is not here hears of it, too: as an invitation where that is what it comes to (§9.5, §18.1). */
export async function affiliate(
  room: Room,
  changes: readonly AffiliationChange[],
  { account, nick }: Pick<Actor, 'account' | 'nick'>,
): Promise<void> {
  const before = new Map(changes.map(({ jid }) => [jid.text, room.affiliationOf(jid)]))
  await changeAffiliations(room, changes, nick)
  const absent = changes
    .map(({ jid }) => jid)
    .filter((jid) => !jid.isDomain && room.occupants.ofAccount(jid).next().done)
    .filter((jid) => before.get(jid.text) !== room.affiliationOf(jid))
  for (const jid of absent) {
    const isNew = before.get(jid.text) === 'none' && isAtLeast(room.affiliationOf(jid), 'member')
    if (isNew && room.settings.membersOnly) inviteMember(room, { invitee: jid, inviter: account })
    else tellAccount(room, jid)
  }
}
