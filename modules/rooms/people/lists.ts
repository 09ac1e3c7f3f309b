// The lists of a room (XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8): who has which affiliation or role, and
// who may see which of them. A list of affiliations has real addresses, so it follows anonymity.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Actor } from './privileges.js'
import type { Room } from '../room.js'
import { isOpen } from '../settings.js'
import { type Affiliation, hasRole, isAtLeast, type Role } from '../standing.js'

export interface Viewer {
  readonly affiliation: Affiliation
  /** In the room; none where it is not in it */
  readonly role: Role
}

export type List = Exclude<Affiliation, 'none'>

export function maySeeList(room: Room, list: List, viewer: Viewer): boolean {
  const { affiliation } = viewer
  if (affiliation === 'owner') return true
  const isAdmin = affiliation === 'admin'
  // §9.2
  if (list === 'outcast') return isAdmin
  if (list === 'member' && isAdmin) return true
  // §5.2.1, §10.5, §10.8: addresses that are hidden are hidden here, too.
  if (!isOpen(room.settings)) return false
  return isAdmin || maySeeOpenLists(room, viewer)
}

/** §9.5: in a room where everybody sees addresses; the owner may say otherwise (getmemberlist). */
function maySeeOpenLists({ settings }: Room, { affiliation, role }: Viewer): boolean {
  const { whoSeesMembers } = settings
  if (whoSeesMembers === 'moderators') return role === 'moderator'
  if (isAtLeast(affiliation, 'member')) return true
  return hasRole(role, whoSeesMembers === 'participants' ? 'participant' : 'visitor')
}

/** §17.4: no role in it, and no nick of who is banned */
export function affiliationList(room: Room, list: List): Element[] {
  return [...room.affiliations.all(list)].map(({ jid, affiliation, nick, reason }) => {
    const why = reason && xml('reason', {}, reason)
    return xml('item', { affiliation, jid: jid.text, nick }, why || undefined)
  })
}

/** §8.5, §9.8 */
export function checkRoleList(role: Role, { isModerator, affiliation }: Actor): void {
  if (role === 'none') throw new StanzaError('bad-request', 'there is no such list')
  const may = role === 'moderator' ? isAtLeast(affiliation, 'admin') : isModerator
  if (!may) throw new StanzaError('forbidden', 'you may not see this list')
}

export function roleList(room: Room, role: Role): Element[] {
  return [...room.occupants.all()].flatMap((occupant) => {
    if (occupant.role !== role) return []
    const affiliation = room.affiliationOf(occupant.account)
    const jid = occupant.visitors[0]!.jid.text
    return xml('item', { affiliation, role, jid, nick: occupant.jid.resource })
  })
}
