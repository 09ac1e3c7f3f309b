// Presence of somebody who is in the room: another availability (XEP-0045 §7.7) or another nick (§7.6).

import { StanzaError } from '../../lib/xmpp/errors.js'
import { checkedNick, checkNick, lockedNick, shownPresence } from './entering.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Visit } from './feature.js'
import { isAt, type Occupant, visitorOf } from './occupants.js'
import type { Room } from './room.js'
import { showGone, showPresent } from './telling.js'

export function changePresence(room: Room, occupant: Occupant, visit: Visit): undefined {
  const { stanza, to, from } = visit.envelope
  const visitor = visitorOf(occupant, from)!
  if (!to.equals(occupant.jid)) changeNick(room, occupant, visit)
  isAt(visitor, visit)
  visitor.presence = shownPresence(room, occupant.role, stanza)
  bringForward(occupant, visit)
  room.remember(occupant, visitor)
  showPresent(room, occupant)
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
  if ((lockedNick(room, from) ?? nick) !== nick)
    throw new StanzaError('not-acceptable', 'you are called by the nick that you registered')
  checkNick(room, from, nick)
  if (room.occupants.byNick(nick)) throw new StanzaError('conflict', 'you have this nick already')
  rename(room, occupant, nick)
}

/** §7.10: who has registered another nick than the one he came with, where nicks are locked */
export function useLockedNick(room: Room, account: Jid): void {
  const nick = lockedNick(room, account)
  if (nick === undefined || room.occupants.byNick(nick)) return
  const occupant = room.occupants.ofAccount(account).next().value
  if (!occupant) return
  rename(room, occupant, nick)
  showPresent(room, occupant, { codes: [210] })
}

function rename(room: Room, occupant: Occupant, nick: string): void {
  showGone(room, occupant, { codes: [303], nick })
  room.occupants.rename(occupant, room.jid.withResource(nick))
  for (const visitor of occupant.visitors) room.remember(occupant, visitor)
}
