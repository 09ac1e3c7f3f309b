// Who may change whose standing (XEP-0045 §5.1.1, §5.2.1): asked before anything is changed. It looks and
// refuses (StanzaError); it changes nothing.

import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { MOST_AFFILIATIONS } from '../affiliations.js'
import { likeness } from './nick-likeness.js'
import type { Occupant } from '../occupants.js'
import type { Room } from '../room.js'
import { type Affiliation, isAtLeast, type Role } from '../standing.js'

/** Who changes something */
export interface Actor {
  /** Bare, real */
  readonly account: Jid
  readonly affiliation: Affiliation
  readonly isModerator: boolean
  /** In the room, where it is in it */
  readonly nick?: string | undefined
}

export interface AffiliationChange {
  /** Bare, or a domain */
  readonly jid: Jid
  readonly affiliation: Affiliation
  /** Reserved for it; '' for none any more, undefined for as it was */
  readonly nick?: string | undefined
  readonly reason?: string | undefined
}

export interface RoleChange {
  readonly occupant: Occupant
  readonly role: Role
  readonly reason?: string | undefined
}

/** An admin is a moderator by that fact (§5.1.3). */
export function actorOf(room: Room, from: Jid): Actor {
  const account = from.bare
  const affiliation = room.affiliationOf(account)
  const here = [...room.occupants.ofAccount(account)]
  const own = room.occupants.of(from) ?? here[0]
  const isModerator =
    isAtLeast(affiliation, 'admin') || here.some(({ role }) => role === 'moderator')
  return { account, affiliation, isModerator, nick: own?.jid.resource }
}

export function mustBeAdmin({ affiliation }: Pick<Actor, 'affiliation'>): void {
  if (!isAtLeast(affiliation, 'admin'))
    throw new StanzaError('forbidden', 'only admins may do that')
}

/** All of them, before the first one is made (§9.2). */
export function checkAffiliations(
  room: Room,
  changes: readonly AffiliationChange[],
  actor: Actor,
): void {
  mustBeAdmin(actor)
  for (const change of changes) checkAffiliation(room, change, actor)
  checkOwners(room, changes)
  checkNicks(room, changes)
  const added = changes.filter(
    ({ jid, affiliation }) => affiliation !== 'none' && !room.affiliations.entry(jid),
  )
  if (room.affiliations.size + added.length > MOST_AFFILIATIONS)
    throw new StanzaError('resource-constraint', 'the lists of this room are full')
}

function checkAffiliation(room: Room, { jid, affiliation }: AffiliationChange, by: Actor): void {
  const before = room.affiliationOf(jid)
  const isBan = affiliation === 'outcast'
  // §9.1, before anything else: it may be an owner who does it.
  if (isBan && jid.equals(by.account)) throw new StanzaError('conflict', 'nobody bans himself')
  if (isBan && room.venue.host.isAdmin(jid))
    throw new StanzaError('not-allowed', 'who runs the service cannot be banned')
  if (jid.isDomain && isAtLeast(affiliation, 'admin'))
    throw new StanzaError('not-acceptable', 'a whole domain is no admin and no owner')
  if (by.affiliation === 'owner') return
  // §9.1: an admin bans nobody of the same rank or a higher one (§5.2.2).
  if (isBan && isAtLeast(before, 'admin'))
    throw new StanzaError('not-allowed', 'only owners may ban admins and owners')
  // §10.3 to §10.8
  if (isAtLeast(before, 'admin') || isAtLeast(affiliation, 'admin'))
    throw new StanzaError('forbidden', 'only owners may change the lists of admins and owners')
}

/** §10.4: a room has an owner for as long as it exists. */
function checkOwners({ affiliations }: Room, changes: readonly AffiliationChange[]): void {
  const owners = new Set([...affiliations.all('owner')].map(({ jid }) => jid.text))
  const had = owners.size
  for (const { jid, affiliation } of changes)
    if (affiliation === 'owner') owners.add(jid.text)
    else owners.delete(jid.text)
  if (owners.size === 0 && had > 0) throw new StanzaError('conflict', 'a room needs an owner')
}

/** §7.10, §9.3: a nick is reserved for one. */
function checkNicks(
  { affiliations, occupants }: Room,
  changes: readonly AffiliationChange[],
): void {
  const given = new Set<string>()
  for (const { jid, nick } of changes) {
    if (!nick) continue
    const there = affiliations.reserved(nick)
    const used = occupants.like(nick).some(({ account }) => !account.equals(jid))
    const key = likeness(nick)
    if ((there && !there.jid.equals(jid)) || used || given.has(key))
      throw new StanzaError('conflict', `somebody else has the nick ${nick}, or one like it`)
    given.add(key)
  }
}

/** §5.1.1, §8.2 to §8.5, §9.6 to §9.8 */
export function checkRole(room: Room, { occupant, role }: RoleChange, by: Actor): void {
  if (!by.isModerator) throw new StanzaError('forbidden', 'only moderators may do that')
  const theirs = room.affiliationOf(occupant.account)
  const byAdmin = isAtLeast(by.affiliation, 'admin')
  if (role === 'moderator' && !byAdmin)
    throw new StanzaError('forbidden', 'only admins may make moderators')
  if (role === 'moderator' || role === occupant.role) return
  // §8.2, §8.4: from those of a higher affiliation nobody takes anything.
  if (!isAtLeast(by.affiliation, theirs))
    throw new StanzaError('not-allowed', 'their affiliation is higher than yours')
  // §8.4, §9.7: whoever is an admin has a voice and moderates.
  if (role !== 'none' && isAtLeast(theirs, 'admin'))
    throw new StanzaError('not-allowed', 'admins and owners are moderators')
  // §5.1.3: a moderator stays one until an admin says otherwise.
  if (occupant.role === 'moderator' && !byAdmin && !occupant.account.equals(by.account))
    throw new StanzaError('not-allowed', 'only admins may do that to a moderator')
}
