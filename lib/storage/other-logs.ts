// How far logs have come that are no account's own (a room's), and what in them somebody has not seen: the newest
// message of each, and how many count as unread after a place, but for those that bear one's own label. One
// question for all of them. SQLite adds the part of the index that is not on disk yet.

import type { Database } from './database.js'
import { KEPT, RETRACTED, UNREAD } from './logged-message.js'
import { type IndexRow, type LogPlace, type LogState, peerKey } from './message-log.js'

/** LIM-unread: nobody reads a larger number. */
const MOST_UNREAD = 10_000

const COUNTED = UNREAD | RETRACTED

const STATE = `select
    (select id from archive where owner = asked.owner and archive.peer = asked.peer
      and flags & ? = ? order by id desc limit 1) as id,
    (select count(*) from (select 1 from archive where owner = asked.owner
      and archive.peer = asked.peer and id > asked.after and id < asked.until
      and flags & ? = ? and label <> asked.mine limit ?) as counted) as unread from `
const STATE_OF = {
  sqlite: `${STATE} (select value ->> 0 as owner, value ->> 1 as peer, value ->> 2 as after,
    value ->> 3 as until, value ->> 4 as mine, key as place from json_each(?)) as asked
    order by place`,
  postgres: `${STATE} unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
    with ordinality as asked (owner, peer, after, until, mine, place) order by place`,
}

type Pending = (owner: number) => readonly IndexRow[]
type Asked = readonly [owner: number, peer: number, after: number, until: number, mine: number]

export async function statesOf(
  database: Database,
  pending: Pending,
  places: readonly LogPlace[],
): Promise<LogState[]> {
  if (places.length === 0) return []
  const waiting = places.map(({ owner }) => pending(owner).filter(({ flags }) => flags & KEPT))
  const asked = places.map(({ owner, peer, after, mine }, at): Asked => {
    return [owner, peerKey(peer), after, waiting[at]![0]?.id ?? Number.MAX_SAFE_INTEGER, mine]
  })
  const stored = await storedStates(database, asked)
  // While the table is read, rows may go there.
  const recent = await recentRows(database, waiting)
  return places.map((place, at) => together(stored[at]!, recent.get(place.owner) ?? [], place))
}

async function storedStates(
  { reader, kind }: Database,
  asked: readonly Asked[],
): Promise<LogState[]> {
  const lists = [0, 1, 2, 3, 4].map((column) => asked.map((one) => one[column]!))
  const rows: { id: number | null; unread: number }[] = await reader.raw(STATE_OF[kind], [
    ...[KEPT, KEPT, COUNTED, UNREAD, MOST_UNREAD],
    ...(kind === 'sqlite' ? [JSON.stringify(asked)] : lists),
  ])
  return rows.map(({ id, unread }) => ({ id: id ?? 0, unread }))
}

type Recent = Pick<IndexRow, 'owner' | 'id' | 'flags' | 'label'>

async function recentRows(
  { reader }: Database,
  waiting: readonly (readonly IndexRow[])[],
): Promise<Map<number, Recent[]>> {
  const some = waiting.filter((rows) => rows.length > 0)
  const found = new Map<number, Recent[]>()
  if (some.length === 0) return found
  const from = Math.min(...some.map((rows) => rows[0]!.id))
  const moved: Recent[] = await reader('archive')
    .whereIn(
      'owner',
      some.map((rows) => rows[0]!.owner),
    )
    .where('id', '>=', from)
    .select('owner', 'id', 'flags', 'label')
  for (const rows of some) {
    const { owner, id: first } = rows[0]!
    const there = moved.filter((row) => row.owner === owner && row.id >= first)
    const all = new Map([...there, ...rows].map((row) => [row.id, row]))
    found.set(owner, [...all.values()])
  }
  return found
}

function together(
  { id, unread }: LogState,
  recent: readonly Recent[],
  { after, mine }: LogPlace,
): LogState {
  const counted = recent.filter(
    (row) => row.id > after && row.label !== mine && (row.flags & COUNTED) === UNREAD,
  )
  const newest = recent.reduce((highest, row) => Math.max(highest, row.id), id)
  return { id: newest, unread: Math.min(unread + counted.length, MOST_UNREAD) }
}
