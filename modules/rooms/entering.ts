// Coming in (XEP-0045 §7.2): who may, under which nick, and what a newcomer is sent, in the order of §7.1:
// who is here, itself, what was said before, the subject. Then whatever happens.

import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { Visit } from './feature.js'
import { enteringRole } from './people/given-roles.js'
import { readWanted } from './history.js'
import { likenessOf } from './people/nick-likeness.js'
import { isAt, type Occupant, type Visitor, visitorOf } from './occupants.js'
import { NS_MUC } from './presences.js'
import { withoutRoomsWord } from './rooms-word.js'
import type { Room } from './room.js'
import { isOpen } from './settings.js'
import { isAtLeast, type Role } from './standing.js'
import { sendSubject } from './subject.js'
import { showGone, showOthers, showPresent } from './telling.js'

/** LIM-nick: characters of a nick */
export const MOST_NICK = 100
/** LIM-visitors-per-nick */
export const MOST_VISITORS = 20
/** LIM-extra-occupants: admins and owners who come in when a room is full (§7.2.9) */
export const MOST_EXTRA = 20

/** §17.3: whoever is here already, and comes all the same, wants to hear everything again. */
export function comes({ envelope: { stanza } }: Visit): boolean {
  return stanza.has('x', NS_MUC)
}

export async function enter(room: Room, visit: Visit): Promise<Stanza | undefined> {
  const { stanza, to, from } = visit.envelope
  if (!stanza.has('x', NS_MUC)) return outside(room, visit)
  const there = room.occupants.of(from)
  if (there) return again(room, there, visit)
  const nick = lockedNick(room, from) ?? checkedNick(to)
  for (const { knocking } of room.venue.features) {
    const later = knocking?.(room, visit)
    if (later) await later
  }
  checkEntrance(room, visit, nick)
  const same = room.occupants.byNick(nick)
  const role = same?.role ?? enteringRole(room, from.bare)
  const presence = shownPresence(room, role, stanza)
  const visitor: Visitor = { jid: from, node: visit.node, life: visit.life, presence }
  const occupant = same ?? newOccupant(room, { nick, account: from.bare, role })
  joinOccupant(room, occupant, visitor)
  welcome(room, visitor, { visit, isNew: same === undefined, isRenamed: nick !== to.resource })
  return undefined
}

/** §7.2.18: who believes to be inside, and is not, is told so. */
function outside(room: Room, { envelope: { from, to, stanza }, node }: Visit): undefined {
  const visitor: Visitor = { jid: from, node, presence: stanza }
  const stranger: Occupant = { jid: to, account: from.bare, role: 'none', visitors: [visitor] }
  showGone(room, stranger, { codes: [], own: [307, 333], ownOnly: true })
}

export function checkedNick(to: Jid): string {
  const nick = to.resource
  if (nick === '') throw new StanzaError('jid-malformed', 'a nick is needed')
  // §17.1.1: one that nobody sees is none.
  if (nick.trim() === '' || nick.length > MOST_NICK || likenessOf(nick) === undefined)
    throw new StanzaError('not-acceptable', 'this nick is not allowed')
  return nick
}

/** A nick that stands in an attribute or a form */
export function readNick(room: Room, text: string): string {
  const jid = Jid.tryParse(`${room.jid.text}/${text}`)
  if (!jid) throw new StanzaError('jid-malformed', 'this cannot be a nick')
  return checkedNick(jid)
}

function checkEntrance(room: Room, { envelope }: Visit, nick: string): void {
  const { from, stanza } = envelope
  const affiliation = room.affiliationOf(from)
  if (affiliation === 'outcast') throw new StanzaError('forbidden', 'you are banned from this room')
  if (room.locked && affiliation !== 'owner')
    throw new StanzaError('item-not-found', 'the room is locked')
  if (room.settings.membersOnly && !isAtLeast(affiliation, 'member'))
    throw new StanzaError('registration-required', 'only members may enter')
  if (!isAtLeast(affiliation, 'admin')) checkPassword(room, stanza)
  checkNick(room, from, nick)
  checkSpace(room, { nick, extra: isAtLeast(affiliation, 'admin') })
}

/** §7.2.5 */
function checkPassword({ settings }: Room, stanza: Stanza): void {
  if (settings.password === '') return
  const given = stanza.child('x', NS_MUC)?.getChildText('password')
  if (given !== settings.password) throw new StanzaError('not-authorized', 'a password is needed')
}

/** §7.2.8 */
export function checkNick(room: Room, from: Jid, nick: string): void {
  const { affiliations, occupants } = room
  const there = occupants.byNick(nick)
  const reserved = affiliations.reserved(nick)
  if (occupants.like(nick).some(({ account }) => !account.equals(from.bare))) throw taken()
  // Both may have reserved theirs when nicks were compared as they are written.
  const isOwn = affiliations.entry(from)?.nick === nick
  if (reserved && !isOwn && !reserved.jid.equals(from.bare)) throw taken()
  if (there && there.visitors.length >= MOST_VISITORS)
    throw new StanzaError('service-unavailable', 'too many sessions have this nick')
}

function taken(): StanzaError {
  return new StanzaError('conflict', 'somebody else has this nick, or one that is too much like it')
}

/** §7.2.9 */
function checkSpace(room: Room, { nick, extra }: { nick: string; extra: boolean }): void {
  if (room.occupants.byNick(nick)) return
  const most = room.settings.mostOccupants + (extra ? MOST_EXTRA : 0)
  if (room.occupants.size >= most) throw new StanzaError('service-unavailable', 'the room is full')
}

/** §7.10: who has to be called something is called that. */
export function lockedNick({ settings, affiliations }: Room, jid: Jid): string | undefined {
  return settings.nicksLocked ? affiliations.entry(jid)?.nick : undefined
}

/** Nothing that only the room says; and where visitors say nothing, not in their status either (§8.4). */
export function shownPresence({ jid, settings }: Room, role: Role, stanza: Stanza): Stanza {
  const kept = withoutRoomsWord(stanza, jid)
  if (role !== 'visitor' || settings.visitorsMaySayStatus) return kept
  return kept.without(({ name }) => name === 'status')
}

function joinOccupant(room: Room, occupant: Occupant, visitor: Visitor): void {
  room.occupants.join(occupant, visitor)
  room.remember(occupant, visitor)
}

function newOccupant(
  room: Room,
  { nick, ...who }: { nick: string; account: Jid; role: Role },
): Occupant {
  const { mostShown } = room.venue.limits
  const unseen = who.role !== 'moderator' && room.occupants.size >= mostShown
  const jid = room.jid.withResource(nick)
  const occupant: Occupant = { ...who, jid, visitors: [], ...(unseen && { unseen }) }
  room.occupants.add(occupant)
  return occupant
}

/** §7.2.1: it has lost what it knew, and is sent all of it. Others hear of what is different (§17.3). */
function again(room: Room, occupant: Occupant, visit: Visit): undefined {
  const visitor = visitorOf(occupant, visit.envelope.from)!
  const before = visitor.presence.content
  visitor.presence = shownPresence(room, occupant.role, visit.envelope.stanza)
  isAt(visitor, visit)
  room.remember(occupant, visitor)
  const isOther = visitor === occupant.visitors[0] && before !== visitor.presence.content
  welcome(room, visitor, { visit, isNew: isOther })
}

function welcome(
  room: Room,
  visitor: Visitor,
  { visit, isNew, isRenamed }: { visit: Visit; isNew: boolean; isRenamed?: boolean },
): void {
  const { venue, settings } = room
  const { stanza } = visit.envelope
  const occupant = room.occupants.of(visitor.jid)!
  const { features } = venue
  for (const { entering } of features) entering?.(room, { occupant, visitor, stanza })
  showOthers(room, { occupant, visitor })
  // §7.2.3, §7.2.12, §10.1.1, §7.10
  const own = [
    ...(isRenamed ? [210] : []),
    ...(isOpen(settings) ? [100] : []),
    ...(settings.archived ? [170] : []),
    ...(room.locked ? [201] : []),
  ]
  const more = features.map(({ mark }) => mark?.(room, occupant) ?? '').join('')
  showPresent(room, occupant, { own, to: [visitor], ownOnly: !isNew, ownMark: more })
  const x = stanza.child('x', NS_MUC)
  const wanted = readWanted(
    x,
    Math.min(settings.history, venue.limits.mostHistory),
    venue.host.clock.now(),
  )
  room.sendMany(room.history.wanted(room.jid, wanted), visitor)
  sendSubject(room, visitor)
  for (const { entered } of features) entered?.(room, occupant, visitor)
}
