// Going (XEP-0045 §7.14): by oneself, by being sent out, or because nobody is there any more. The last one
// out of a room that does not persist takes it along.

import { type StanzaCondition, StanzaError } from '../../lib/xmpp/errors.js'
import type { Visit } from './feature.js'
import { type Occupant, type Visitor, visitorOf } from './occupants.js'
import type { Room } from './room.js'
import { withoutRoomsWord } from './rooms-word.js'
import { type Gone, showGone, showPresent } from './telling.js'
import { errorOf } from '../../lib/xmpp/replies.js'

/** §7.14. Who is not here is told nothing (§17.3). */
export async function leave(room: Room, { envelope }: Visit): Promise<undefined> {
  const occupant = room.occupants.of(envelope.from)
  const visitor = occupant && visitorOf(occupant, envelope.from)
  if (visitor)
    await goOut(
      room,
      { occupant, visitor },
      { presence: withoutRoomsWord(envelope.stanza, room.jid) },
    )
}

/** What a client or server answers when nobody takes what the room says (§18.1.2) */
const GHOST = new Set([
  'gone',
  'item-not-found',
  'recipient-unavailable',
  'redirect',
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
])

/**
 * §11.1, §18.1.2. Who refuses presence does not want to be here, whatever the reason. A session of ours says when
 * it goes, or takes no more; that a private message is refused may only be that somebody is blocked.
 */
export async function removedByError(room: Room, { envelope, node }: Visit): Promise<undefined> {
  const { from, stanza } = envelope
  const occupant = room.occupants.of(from)
  const visitor = occupant && visitorOf(occupant, from)
  if (!visitor) return
  if (stanza.kind === 'message' && !isGhost(errorOf(stanza).condition, node)) return
  await goOut(room, { occupant, visitor }, { codes: [333] })
}

/** A session that was here, and ended without a word; another one has its address, and may come in. */
export async function replaced(room: Room, visit: Visit): Promise<undefined> {
  const { from, stanza, to } = visit.envelope
  const occupant = room.occupants.of(from)
  const visitor = occupant && visitorOf(occupant, from)
  const comesBack = stanza.kind === 'presence' && stanza.type === '' && occupant?.jid.equals(to)
  if (visitor && !comesBack) await goOut(room, { occupant, visitor }, { codes: [333] })
}

function isGhost(condition: StanzaCondition, node: string): boolean {
  return node === '' ? GHOST.has(condition) : condition === 'recipient-unavailable'
}

/** One session of an occupant */
export async function goOut(
  room: Room,
  { occupant, visitor }: { occupant: Occupant; visitor: Visitor },
  gone: Gone,
): Promise<void> {
  const whole = occupant.visitors.length === 1
  if (!whole) {
    showGone(room, occupant, { ...gone, to: [visitor], ownOnly: true })
    const wasShown = occupant.visitors[0] === visitor
    room.occupants.leave(occupant, visitor)
    room.forget(visitor, '')
    // The others have seen the one that is gone.
    if (wasShown) showPresent(room, occupant)
    return
  }
  await sendOut(room, occupant, gone)
}

/** An occupant with all sessions: kicked (307), banned (301), no member any more (321, 322), … */
export async function sendOut(room: Room, occupant: Occupant, gone: Gone): Promise<void> {
  room.occupants.remove(occupant)
  // §10.1.3: a room that nobody has configured ends with its owner's visit.
  const isEnd = room.locked && room.occupants.size === 0
  showGone(room, occupant, isEnd ? { ...gone, more: '<destroy/>' } : gone)
  for (const visitor of occupant.visitors) room.forget(visitor, occupant.jid.resource)
  for (const { left } of room.venue.features) left?.(room, occupant)
  if (room.occupants.size === 0 && !room.settings.persistent) await room.venue.destroy(room)
}

/** Nobody who is not here may do what only occupants do (§7.4). */
export function mustBeHere(
  room: Room,
  { envelope }: Visit,
): { occupant: Occupant; visitor: Visitor } {
  const occupant = room.occupants.of(envelope.from)
  const visitor = occupant && visitorOf(occupant, envelope.from)
  if (!visitor) throw new StanzaError('not-acceptable', 'only occupants may do that')
  return { occupant, visitor }
}
