// A voice that a moderator gave or took stays given or taken when somebody goes and comes again (XEP-0045 §5.1:
// roles should outlast a visit in moderated rooms), for as long as the room stays on its node. What an
// affiliation implies is not remembered here.

import type { Jid } from '../../../lib/xmpp/jid.js'
import type { Room } from '../room.js'
import { isAtLeast, type Role, roleOf } from '../standing.js'

/** LIM-given-roles: of one room; the one given longest ago is forgotten first. */
export const MOST_GIVEN = 1000

const key = Symbol('given roles')

function givenIn({ memo }: Room): Map<string, Role> {
  let given = memo.get(key) as Map<string, Role> | undefined
  if (!given) memo.set(key, (given = new Map()))
  return given
}

export function rememberRole(room: Room, account: Jid, role: Role): void {
  const given = givenIn(room)
  given.delete(account.text)
  if (role === 'visitor' || role === 'participant') given.set(account.text, role)
  if (given.size > MOST_GIVEN) given.delete(given.keys().next().value!)
}

/** Another affiliation says something else. */
export function forgetRole(room: Room, account: Jid): void {
  givenIn(room).delete(account.text)
}

/** The room is another kind of room now. */
export function forgetRoles(room: Room): void {
  givenIn(room).clear()
}

/** What somebody enters as (§5.1.2) */
export function enteringRole(room: Room, account: Jid): Role {
  const affiliation = room.affiliationOf(account)
  const implied = roleOf(affiliation, room.settings)
  if (affiliation === 'outcast' || isAtLeast(affiliation, 'admin')) return implied
  return givenIn(room).get(account.text) ?? implied
}
