// Who may read what was said in a room (XEP-0313 §6.1.2, SEC-60), decided anew for each question: who may enter
// may read. Where entering is open to everybody it is for people of this server alone, because nobody sees
// them reading; of a room that is not to be found, or has a password, for those who are in or belong to it.

import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { RoomRequest } from '../feature.js'
import { isOpen } from '../settings.js'
import { isAtLeast } from '../standing.js'

type Asker = Pick<RoomRequest, 'room' | 'node' | 'affiliation' | 'occupant'>

export function checkMayRead(asker: Asker): void {
  const { room, affiliation } = asker
  if (affiliation === 'outcast') throw new StanzaError('forbidden', 'you are banned from this room')
  if (room.locked && affiliation !== 'owner')
    throw new StanzaError('item-not-found', 'the room is locked')
  if (!mayRead(asker)) throw new StanzaError('forbidden', 'you may not read what is said here')
}

function mayRead({ room: { settings }, node, affiliation, occupant }: Asker): boolean {
  if (isAtLeast(affiliation, 'member')) return true
  if (settings.membersOnly) return false
  if (occupant !== undefined) return true
  // One that sessions of this server ask through
  return node !== '' && !settings.hidden && settings.password === ''
}

/** XEP-0313 §6.1.2: whose real addresses, at the time of the question */
export function seenBy({ room, affiliation, occupant }: Asker): 'all' | 'open' | 'none' {
  if (occupant?.role === 'moderator' || isAtLeast(affiliation, 'admin')) return 'all'
  return isOpen(room.settings) ? 'open' : 'none'
}
