// An account that is removed belongs to no room any more (SEC-28): its standing goes, and what waited for it. Bans
// stay, and so does what it said: that is part of what others said to it, and the room's.

import type { Knex } from 'knex'
import type { Account } from '../../lib/core/module.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { OwnedRooms } from './owned-rooms.js'
import type { Venue } from './venue.js'

const BELONGING = ['member', 'admin', 'owner']

/** May be called again after a crash; what it gives back tells rooms that are awake. */
export async function forsake(
  { venue, rooms }: { venue: Venue; rooms: OwnedRooms },
  { jid }: Account,
  trx: Knex.Transaction,
): Promise<() => void> {
  const { host } = venue
  const found: { number: number; name: string }[] = await trx('room_affiliations')
    .join('rooms', 'rooms.number', 'room_affiliations.room')
    .where({ host: host.domain, jid: jid.text })
    .whereIn('affiliation', BELONGING)
    .select('number', 'name')
  const numbers = found.map(({ number }) => number)
  const more = await forgetMore(venue, jid, trx)
  await trx('room_affiliations').where({ jid: jid.text }).whereIn('room', numbers).delete()
  await trx('room_mentions').where({ account: jid.text }).delete()
  return () => {
    for (const name of new Set([...found.map(({ name }) => name), ...more])) {
      const told = rooms.deed(venue.addressOf(name), 'forsake', jid.text)
      // It is gone, or nobody owns it just now: then it is read again.
      void host.server.pending(told.then(nothing, nothing))
    }
  }
}

/** What extensions kept of it: names of rooms */
async function forgetMore(venue: Venue, jid: Jid, trx: Knex.Transaction): Promise<string[]> {
  const numbers = new Set<number>()
  for (const { forget } of venue.features)
    for (const number of (await forget?.(jid, trx)) ?? []) numbers.add(number)
  if (numbers.size === 0) return []
  const rooms = trx('rooms').where({ host: venue.host.domain })
  return rooms.whereIn('number', [...numbers]).pluck('name')
}

function nothing(): void {}
