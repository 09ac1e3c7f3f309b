// What becomes of a room when an account that belonged to it is removed: nobody in it is without an owner for long.
// Where the last owner goes, who has been an admin for longest owns it, or else who has been a member for longest.
// Where there is neither the room ends with the last visit: at once, where nobody is in it.

import type { Jid } from '../../../lib/xmpp/jid.js'
import { affiliate } from './administering.js'
import type { Affiliated } from '../affiliations.js'
import { configure, destroyRoom } from '../setup/owning.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'

/** In the room's lane; may be done again. No rule keeps what the account was, and nobody did it. Bans stay. */
export async function forsaken(room: Room, account: Jid): Promise<void> {
  const { affiliations, venue } = room
  for (const { forgotten } of venue.features) forgotten?.(room, account)
  const { affiliation = 'none' } = affiliations.entry(account) ?? {}
  const heir = heirOf(room, account)
  const changes = [
    ...(heir ? [{ jid: heir.jid, affiliation: 'owner' } as const] : []),
    ...(isAtLeast(affiliation, 'member') ? [{ jid: account, affiliation: 'none' } as const] : []),
  ]
  if (changes.length > 0) await affiliate(room, changes, { account: room.jid })
  if (affiliations.count('owner') === 0) await endWithLastVisit(room)
}

/** Undefined where another owner is there, or nobody may be one */
function heirOf({ affiliations }: Room, account: Jid): Affiliated | undefined {
  for (const { jid } of affiliations.all('owner')) if (!jid.equals(account)) return undefined
  for (const rank of ['admin', 'member'] as const) {
    const able = [...affiliations.all(rank)].filter(
      ({ jid }) => !jid.isDomain && !jid.equals(account),
    )
    const [oldest] = able.sort((one, other) => (one.since ?? 0) - (other.since ?? 0))
    if (oldest) return oldest
  }
  return undefined
}

async function endWithLastVisit(room: Room): Promise<void> {
  if (!room.settings.persistent) return
  if (room.occupants.size === 0) await destroyRoom(room, {})
  else await configure(room, { ...room.settings, persistent: false })
}
