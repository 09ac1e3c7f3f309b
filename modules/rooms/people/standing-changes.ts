// The one place that changes somebody's affiliation or role, with everything that follows: it is on disk first;
// the role follows the affiliation (XEP-0045 §5.1.3), who may not be here any more is sent out, and everybody
// who is here hears of it. Whether it may be is asked before, in privileges.ts. It runs in the room's lane, alone.

import type { Wire } from '../../../lib/xmpp/element.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { newVersions } from './affiliation-versions.js'
import type { Affiliated } from '../affiliations.js'
import { forgetRole, rememberRole } from './given-roles.js'
import { sendOut } from '../going.js'
import { showToModerator } from './new-moderators.js'
import type { Occupant } from '../occupants.js'
import { type Cause, NS_MUC_USER, userElement } from '../presences.js'
import type { AffiliationChange, RoleChange } from './privileges.js'
import type { Room } from '../room.js'
import { type Affiliation, hasRole, isAtLeast, type Role, roleOf } from '../standing.js'
import { isShown, maySee, showPresent } from '../telling.js'

/** What becomes of one entry of the lists */
interface Step {
  readonly jid: Jid
  readonly before: Affiliation
  readonly after: Affiliation
  readonly entry: Affiliated | undefined
  readonly cause: Cause
}

export async function changeAffiliations(
  room: Room,
  changes: readonly AffiliationChange[],
  actor?: string,
): Promise<void> {
  const steps = changes.flatMap((change) => stepOf(room, change, actor) ?? [])
  if (steps.length === 0) return
  const versions = newVersions(
    room,
    steps.filter(({ before, after }) => before !== after),
  )
  await room.commit((entry) => {
    const { store } = room.venue
    const kept = steps.flatMap((step) => step.entry ?? [])
    const gone = steps.flatMap(({ entry: kept, jid }) => (kept ? [] : [jid]))
    if (kept.length > 0) store.affiliate(entry, room.number, kept)
    if (gone.length > 0) store.unaffiliate(entry, room.number, gone)
    versions.write(entry)
  })
  versions.written()
  for (const step of steps) await follow(room, step, versions.mark(step.jid))
  for (const { changed } of room.venue.features) changed?.(room)
}

/** Undefined where it is so already */
function stepOf(
  { affiliations, venue }: Room,
  { jid, affiliation, nick, reason }: AffiliationChange,
  actor: string | undefined,
): Step | undefined {
  const there = affiliations.entry(jid)
  const before = there?.affiliation ?? 'none'
  const cause: Cause = { actor, reason }
  if (affiliation === 'none')
    return there && { jid, before, after: 'none', entry: undefined, cause }
  // §9.1: who is banned has no nick.
  const name = affiliation === 'outcast' ? '' : (nick ?? there?.nick ?? '')
  const why = reason ?? (before === affiliation ? there?.reason : undefined)
  if (before === affiliation && name === (there?.nick ?? '') && why === there?.reason)
    return undefined
  const now = venue.host.clock.now()
  const entry = {
    jid,
    affiliation,
    since: before === affiliation ? (there?.since ?? 0) : now,
    ...(name !== '' && { nick: name }),
    ...(why && { reason: why }),
  }
  return { jid, before, after: affiliation, entry, cause }
}

/** In memory, then for everybody to see */
async function follow(room: Room, { jid, entry, cause, ...step }: Step, mark: Wire): Promise<void> {
  const touched = [...room.occupants.all()]
    .filter(({ account }) => (jid.isDomain ? account.domain === jid.domain : account.equals(jid)))
    .map((occupant) => ({ occupant, before: room.affiliationOf(occupant.account) }))
  forgetRole(room, jid)
  if (entry) room.affiliations.set(entry)
  else room.affiliations.remove(jid)
  let told = mark
  if (step.before !== step.after && (jid.isDomain || !touched.some(isSeen(room)))) {
    tellOfAbsent(room, { jid, affiliation: step.after, cause, mark })
    told = ''
  }
  for (const { occupant, before } of touched) {
    if (room.affiliationOf(occupant.account) === before) continue
    await showFollowing(room, { occupant, before, cause, mark: told })
    told = ''
  }
}

function isSeen(room: Room) {
  return ({ occupant }: { occupant: Occupant }): boolean =>
    isShown(room, occupant.role) && !occupant.unseen
}

async function showFollowing(
  room: Room,
  told: { occupant: Occupant; before: Affiliation; cause: Cause; mark: Wire },
): Promise<void> {
  const { occupant, before, cause, mark } = told
  const after = room.affiliationOf(occupant.account)
  if (after === 'outcast') return sendOut(room, occupant, { ...cause, codes: [301], mark })
  // §9.4: it is not shown as no member first.
  if (room.settings.membersOnly && !isAtLeast(after, 'member'))
    return sendOut(room, occupant, { ...cause, codes: [321], mark })
  const role = followingRole(room, { role: occupant.role, before, after })
  await play(room, occupant, { ...cause, role, mark })
}

/** On its place in the room, then for all to see */
async function play(
  room: Room,
  occupant: Occupant,
  { role, ...shown }: Cause & { role: Role; mark?: Wire },
): Promise<void> {
  const isNew = role === 'moderator' && occupant.role !== 'moderator'
  occupant.role = role
  for (const visitor of occupant.visitors) room.remember(occupant, visitor)
  showPresent(room, occupant, shown)
  if (isNew) await showToModerator(room, occupant)
}

/** §5.1.3: what is gained is certain; what is lost with an affiliation is ours to say. */
function followingRole(
  { settings }: Room,
  { role, before, after }: { role: Role; before: Affiliation; after: Affiliation },
): Role {
  const implied = roleOf(after, settings)
  if (isAtLeast(before, 'admin') && !isAtLeast(after, 'admin')) return implied
  if (isAtLeast(after, before)) return hasRole(role, implied) ? role : implied
  return role === 'moderator' || !hasRole(role, implied) ? role : implied
}

/** §10.3: to those who may see real addresses */
function tellOfAbsent(
  room: Room,
  {
    jid,
    affiliation,
    cause,
    mark,
  }: { jid: Jid; affiliation: Affiliation; cause: Cause; mark: Wire },
): void {
  const x = userElement({ affiliation, role: 'none', jid, ...cause }, [], mark)
  const viewers = [...room.occupants.all()].filter((viewer) => maySee(room, viewer))
  const stanza = messageWith(room, x)
  room.send(
    stanza,
    room.jid,
    viewers.flatMap(({ visitors }) => visitors),
  )
}

function messageWith({ venue }: Room, content: Wire): Stanza {
  return Stanza.parse(`<message id='${venue.host.random.id()}'>${content}</message>`)
}

/** §18.1: who is not here is told that something is different, without a word that a client would show. */
export function tellAccount(room: Room, jid: Jid): void {
  const x = `<x xmlns='${NS_MUC_USER}'><status code='101'/></x><no-store xmlns='urn:xmpp:hints'/>`
  room.venue.host.router.send(messageWith(room, x), { from: room.jid, to: jid })
}

/** §8.2 to §8.5, §9.6 to §9.8 */
export async function changeRoles(
  room: Room,
  changes: readonly RoleChange[],
  actor?: string,
): Promise<void> {
  for (const { occupant, role, reason } of changes) {
    const { resource } = occupant.jid
    // What came before it may have sent it out already.
    if (occupant.role === role || room.occupants.byNick(resource) !== occupant) continue
    if (role === 'none') await sendOut(room, occupant, { actor, reason, codes: [307] })
    else {
      rememberRole(room, occupant.account, role)
      await play(room, occupant, { role, actor, reason })
    }
  }
  for (const { changed } of room.venue.features) changed?.(room)
}
