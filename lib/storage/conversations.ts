// An account's conversations and what of them is unread, read off the index: in a fixed number of
// questions however many conversations there are, and without the text of any message. SQLite adds the
// part of the index that is not on disk yet.

import { Jid } from '../xmpp/jid.js'
import type { Database } from './database.js'
import { KEPT, RETRACTED, UNREAD } from './logged-message.js'
import { type Conversation, type IndexRow, peerKey, type Place } from './message-log.js'

/** LIM-unread: nobody reads a larger number. */
const MOST_UNREAD = 10_000

/** One look into the index for each conversation, however many messages it has. */
const NEWEST = `with recursive peers(peer) as (
    select min(peer) from archive where owner = ?
    union all
    select (select min(peer) from archive where owner = ? and peer > peers.peer)
      from peers where peers.peer is not null
  )
  select peer, (select max(id) from archive a where a.owner = ? and a.peer = peers.peer
                  and a.flags & ? = ?) as id from peers where peer is not null`

const ENDS = 'select id, recipient, sent_by, sent_to from messages where id '
const ENDS_OF = {
  sqlite: `${ENDS} in (select value from json_each(?))`,
  postgres: `${ENDS} = any(?::bigint[])`,
}

/** In the order in which they were asked */
const COUNT = `select (select count(*) from (select 1 from archive where owner = ?
    and archive.peer = asked.peer and id > asked.after and id < ? and flags & ? = ? limit ?)
    as counted) as count from `
const COUNT_OF = {
  sqlite: `${COUNT} (select value ->> 0 as peer, value ->> 1 as after, key as place
    from json_each(?)) as asked order by place`,
  postgres: `${COUNT} unnest(?::bigint[], ?::bigint[]) with ordinality as asked (peer, after, place)
    order by place`,
}

/** One text for account and peer: rows are put by one key. */
export function conversationName(account: number, peer: Jid): string {
  return `${account} ${peer.bare.text}`
}

interface Ends {
  id: number
  recipient: number | null
  sent_by: string
  sent_to: string
}

/** Of an index some of whose rows are still `pending`. */
export async function conversationsOf(
  { reader, kind }: Database,
  pending: readonly IndexRow[],
  { owner, limit }: { owner: number; limit: number },
): Promise<Conversation[]> {
  const newest = new Map<number, number>()
  for (const { peer, id, flags } of pending) if (flags & KEPT) keepHigher(newest, peer, id)
  const stored: { peer: number; id: number | null }[] = await reader.raw(NEWEST, [
    ...[owner, owner, owner],
    ...[KEPT, KEPT],
  ])
  for (const { peer, id } of stored) if (id !== null) keepHigher(newest, peer, id)
  const ids = [...newest.values()].sort((a, b) => b - a).slice(0, limit)
  const rows: Ends[] = await reader.raw(ENDS_OF[kind], [kind === 'sqlite' ? `[${ids}]` : ids])
  const peers = new Map(rows.map((ends) => [ends.id, otherEnd(ends, owner)]))
  // What expired meanwhile is in the index alone.
  return ids.flatMap((id) => (peers.has(id) ? { id, peer: peers.get(id)! } : []))
}

function keepHigher(newest: Map<number, number>, peer: number, id: number): void {
  if (id > (newest.get(peer) ?? 0)) newest.set(peer, id)
}

function otherEnd({ recipient, sent_by, sent_to }: Ends, owner: number): Jid {
  return Jid.parse(recipient === owner ? sent_by : sent_to).bare
}

/** How many messages of each conversation came after a number and count as unread. */
export async function unreadOf(
  database: Database,
  pending: readonly IndexRow[],
  { owner, places }: { owner: number; places: readonly Place[] },
): Promise<number[]> {
  if (places.length === 0) return []
  const asked = places.map(({ peer, after }) => ({ peer: peerKey(peer), after }))
  const waiting = pending.filter(({ flags }) => (flags & (UNREAD | RETRACTED)) === UNREAD)
  const upTo = waiting[0]?.id ?? Number.MAX_SAFE_INTEGER
  const settled = await settledCounts(database, asked, { owner, upTo })
  if (waiting.length === 0) return settled
  // While the table is read, rows may go there.
  const moved: { peer: number; id: number }[] = await database
    .reader('archive')
    .where({ owner })
    .where('id', '>=', upTo)
    .whereRaw('flags & ? = ?', [UNREAD | RETRACTED, UNREAD])
    .select('peer', 'id')
  const recent = byPeer([...moved, ...waiting])
  return asked.map(({ peer, after }, at) => {
    const ids = [...(recent.get(peer) ?? [])].filter((id) => id > after)
    return Math.min(settled[at]! + ids.length, MOST_UNREAD)
  })
}

async function settledCounts(
  { reader, kind }: Database,
  asked: readonly { peer: number; after: number }[],
  { owner, upTo }: { owner: number; upTo: number },
): Promise<number[]> {
  const pairs = asked.map(({ peer, after }) => [peer, after])
  const lists = [asked.map(({ peer }) => peer), asked.map(({ after }) => after)]
  const rows: { count: number }[] = await reader.raw(COUNT_OF[kind], [
    ...[owner, upTo, UNREAD | RETRACTED, UNREAD, MOST_UNREAD],
    ...(kind === 'sqlite' ? [JSON.stringify(pairs)] : lists),
  ])
  return rows.map(({ count }) => count)
}

function byPeer(rows: readonly { peer: number; id: number }[]): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>()
  for (const { peer, id } of rows) {
    const ids = found.get(peer)
    if (ids) ids.add(id)
    else found.set(peer, new Set([id]))
  }
  return found
}
