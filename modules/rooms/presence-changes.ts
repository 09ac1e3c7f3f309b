// Presence of somebody who is in the room: another availability (XEP-0045 §7.7) or another nick (§7.6).

import { StanzaError } from '../../lib/xmpp/errors.js'
import { checkedNick, checkNick } from './entering.js'
import type { Visit } from './feature.js'
import { isAt, type Occupant, visitorOf } from './occupants.js'
import { withoutRoomsWord } from './rooms-word.js'
import type { Room } from './room.js'
import { showGone, showPresent } from './telling.js'

export function changePresence(room: Room, occupant: Occupant, visit: Visit): undefined {
  const { stanza, to, from } = visit.envelope
  const visitor = visitorOf(occupant, from)!
  if (!to.equals(occupant.jid)) changeNick(room, occupant, visit)
  isAt(visitor, visit)
  visitor.presence = withoutStatus(room, occupant, withoutRoomsWord(stanza, room.jid))
  bringForward(occupant, visit)
  room.remember(occupant, visitor)
  showPresent(room, occupant)
}

/** §8.4: where visitors may not say anything, they may not say it in their status either. */
function withoutStatus(
  { settings }: Room,
  { role }: Occupant,
  stanza: Visit['envelope']['stanza'],
) {
  if (role !== 'visitor' || settings.visitorsMaySayStatus) return stanza
  return stanza.without(({ name }) => name === 'status')
}

/** The session that said something last is the one that is shown. */
function bringForward({ visitors }: Occupant, { envelope }: Visit): void {
  const at = visitors.findIndex(({ jid }) => jid.equals(envelope.from))
  visitors.unshift(...visitors.splice(at, 1))
}

/** §7.6: to all it is a going and a coming; to those who can, the first says how it is called now. */
function changeNick(room: Room, occupant: Occupant, { envelope: { to, from } }: Visit): void {
  const nick = checkedNick(to)
  if (occupant.role === 'visitor' && !room.settings.visitorsMayChangeNick)
    throw new StanzaError('not-allowed', 'visitors may not change their nick')
  checkNick(room, from, nick)
  if (room.occupants.byNick(nick)) throw new StanzaError('conflict', 'you have this nick already')
  showGone(room, occupant, { codes: [303], nick })
  room.occupants.rename(occupant, to)
  for (const visitor of occupant.visitors) room.remember(occupant, visitor)
}
