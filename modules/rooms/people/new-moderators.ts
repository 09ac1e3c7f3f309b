// Whoever comes to moderate when he is here already sees what he would see if he came as a moderator: real addresses
// (XEP-0045 §7.2.4), and those who came unseen. Otherwise he could not moderate them.

import type { Occupant } from '../occupants.js'
import type { Room } from '../room.js'
import { isOpen } from '../settings.js'
import { standingPresence } from '../standing-presence.js'
import { isShown } from '../telling.js'

/** Occupants shown in one turn of the event loop: who has nothing to do with the room waits for no more. */
const AT_ONCE = 500

/** In the room's lane, alone: nobody comes or goes in between. */
export async function showToModerator(room: Room, moderator: Occupant): Promise<void> {
  const open = isOpen(room.settings)
  const others = [...room.occupants.all()].filter(
    (other) => other !== moderator && isShown(room, other.role) && (!open || other.unseen === true),
  )
  for (let at = 0; at < others.length; at += AT_ONCE) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    const shown = others
      .slice(at, at + AT_ONCE)
      .map((other) => ({ stanza: standingPresence(room, other, true), from: other.jid }))
    for (const visitor of moderator.visitors) room.sendMany(shown, visitor)
  }
}
