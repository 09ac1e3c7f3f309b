// Reading the message log, the same for both stores: ranges of an index joined with the messages, always
// by number. SQLite adds the part of the index that is not on disk yet.

import type { Knex } from 'knex'
import type { Database } from './database.js'
import { KEPT, RETRACTED, UNREAD } from './logged-message.js'
import { recorded, type StoredMessage } from './message-rows.js'
import {
  type IndexRow,
  isBetween,
  type LabelQuery,
  type Logged,
  type LogWatcher,
  type Page,
  type PageQuery,
  peerKey,
  type Recorded,
  type UnreadQuery,
} from './message-log.js'

/** How many index rows are read at a time where a filter makes a page sparse */
const SPARSE = 1000
/** Beyond so many the page ends with what was found, if that is anything. */
const MOST_LOOKED_AT = 20_000
/** Messages of one transaction that takes them away */
const CHUNK = 2000
/** LIM-unread: nobody reads a larger number. */
const MOST_UNREAD = 10_000
/** Messages of one conversation with the same id: whoever uses one twice gets the newest. */
const MOST_LABELLED = 20

export abstract class MessageReader {
  protected readonly database: Database
  readonly #watchers = new Set<LogWatcher>()

  constructor(database: Database) {
    this.database = database
  }

  protected get reader(): Knex {
    return this.database.reader
  }

  watch(watcher: LogWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  protected async changed(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
    if (ids.length > 0) for (const watcher of this.#watchers) await watcher(trx, ids)
  }

  /** Index rows of an account that are not in the table yet, by number. */
  protected abstract pending(owner: number): readonly IndexRow[]

  async page(query: PageQuery): Promise<Page> {
    const found: Logged[] = []
    let range = query
    let wanted = query.limit + 1
    for (let looked = 0; ; wanted = Math.max(wanted, SPARSE)) {
      const rows = await this.#index(range, wanted)
      const messages = await this.#messages(rows)
      found.push(...messages.filter((message) => !query.peer || isBetween(message, query.peer)))
      looked += rows.length
      const ended = rows.length < wanted
      if (ended || found.length > query.limit || (found.length > 0 && looked >= MOST_LOOKED_AT)) {
        const page = found.slice(0, query.limit)
        if (query.backwards) page.reverse()
        return { messages: page, complete: ended && found.length <= query.limit }
      }
      const last = rows.at(-1)!.id
      range = query.backwards ? { ...range, before: last } : { ...range, after: last }
    }
  }

  async unread({ owner, peer, after }: UnreadQuery): Promise<number> {
    const key = peerKey(peer)
    const fitting = (row: IndexRow): boolean =>
      row.peer === key && row.id > after && (row.flags & (UNREAD | RETRACTED)) === UNREAD
    // Asked for first: while the table is read, rows may go there.
    const waiting = this.pending(owner).filter(fitting)
    const upTo = waiting[0]?.id ?? Number.MAX_SAFE_INTEGER
    const [{ count }] = (await this.reader.raw(
      `select count(*) as count from (select 1 from archive
         where owner = ? and peer = ? and id > ? and id < ? and flags & ? = ? limit ?) as counted`,
      [owner, key, after, upTo, UNREAD | RETRACTED, UNREAD, MOST_UNREAD],
    )) as [{ count: number }]
    if (waiting.length === 0) return count
    const ids: number[] = await this.reader('archive')
      .where({ owner, peer: key })
      .where('id', '>=', upTo)
      .whereRaw('flags & ? = ?', [UNREAD | RETRACTED, UNREAD])
      .limit(MOST_UNREAD)
      .pluck('id')
    const newest = new Set([...ids, ...waiting.map(({ id }) => id)])
    return Math.min(count + newest.size, MOST_UNREAD)
  }

  async conversations(
    owner: number,
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly Logged[]> {
    const newest = new Map<number, number>()
    for (const { peer, id, flags } of this.pending(owner))
      if (flags & KEPT) newest.set(peer, Math.max(id, newest.get(peer) ?? 0))
    for (const { peer, id } of await this.#newest(owner))
      newest.set(peer, Math.max(id ?? 0, newest.get(peer) ?? 0))
    const ids = [...newest.values()]
      .filter((id) => id > 0 && id < before)
      .sort((a, b) => b - a)
      .slice(0, limit)
    const page = await this.page({ owner, ids, limit: ids.length })
    return [...page.messages].reverse()
  }

  /** One look into the index for each conversation, however many messages it has. */
  #newest(owner: number): PromiseLike<{ peer: number; id: number | null }[]> {
    return this.reader.raw(
      `with recursive peers(peer) as (
         select min(peer) from archive where owner = ?
         union all
         select (select min(peer) from archive where owner = ? and peer > peers.peer)
           from peers where peers.peer is not null
       )
       select peer, (select max(id) from archive a where a.owner = ? and a.peer = peers.peer
                       and a.flags & ? = ?) as id from peers where peer is not null`,
      [owner, owner, owner, KEPT, KEPT],
    )
  }

  async labelled({ owner, peer, label }: LabelQuery): Promise<readonly Logged[]> {
    const key = peerKey(peer)
    const pending = this.pending(owner).filter((row) => row.peer === key && row.label === label)
    const stored: IndexRow[] = await this.reader('archive')
      .where({ owner, peer: key, label })
      .orderBy('id', 'desc')
      .limit(MOST_LABELLED)
    const rows = new Map([...stored, ...pending].map((row) => [row.id, row]))
    const newest = [...rows.values()].sort((a, b) => b.id - a.id).slice(0, MOST_LABELLED)
    const messages = await this.#messages(newest)
    return messages.filter((message) => isBetween(message, peer.bare))
  }

  abstract indexed(): Promise<void>

  async scan(after: number, limit: number): Promise<readonly Recorded[]> {
    const rows: StoredMessage[] = await this.reader('messages')
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
    return rows.map(recorded)
  }

  /** In one transaction */
  protected abstract dropSome(owner: number, ids: readonly number[]): Promise<void>

  async drop(owner: number, ids: readonly number[]): Promise<void> {
    for (let at = 0; at < ids.length; at += CHUNK)
      await this.dropSome(owner, ids.slice(at, at + CHUNK))
  }

  /** A message goes when its last account lets go of it. */
  protected async dropRows(
    trx: Knex.Transaction,
    owner: number,
    ids: readonly number[],
  ): Promise<void> {
    await trx('archive')
      .where('owner', owner)
      .whereIn('id', [...ids])
      .delete()
    for (const side of ['sender', 'recipient'])
      await trx('messages')
        .whereIn('id', [...ids])
        .where(side, owner)
        .update({ [side]: null })
    const gone: number[] = await trx('messages')
      .whereIn('id', [...ids])
      .whereNull('sender')
      .whereNull('recipient')
      .pluck('id')
    await this.changed(trx, gone)
    await trx('messages').whereIn('id', gone).delete()
  }

  async dropTaken(owner: number, taken: number): Promise<number> {
    const waiting = this.pending(owner)
      .filter(({ id, flags }) => id <= taken && (flags & KEPT) === 0)
      .map(({ id }) => id)
    const stored: number[] = await this.reader('archive')
      .where('owner', owner)
      .where('id', '<=', taken)
      .whereRaw(`flags & ${KEPT} = 0`)
      .limit(CHUNK)
      .pluck('id')
    const ids = [...new Set([...stored, ...waiting])]
    await this.drop(owner, ids)
    return ids.length
  }

  async ended(limit: number): Promise<readonly { owner: number; taken: number }[]> {
    await this.indexed()
    return this.reader('archive')
      .join('taken', 'taken.account', 'archive.owner')
      .whereRaw(`archive.flags & ${KEPT} = 0`)
      .whereRaw('archive.id <= taken.id')
      .distinct('archive.owner as owner', 'taken.id as taken')
      .limit(limit)
  }

  /** Rows of the index, in the order in which the page is read. */
  async #index(query: PageQuery, limit: number): Promise<IndexRow[]> {
    const pending = this.pending(query.owner).filter((row) => fits(row, query))
    const stored = await this.#stored(query, limit)
    if (pending.length === 0) return stored
    const rows = new Map(stored.map((row) => [row.id, row]))
    for (const row of pending) if (!rows.has(row.id)) rows.set(row.id, row)
    const sorted = [...rows.values()].sort((a, b) => (query.backwards ? b.id - a.id : a.id - b.id))
    return sorted.slice(0, limit)
  }

  async #stored(query: PageQuery, limit: number): Promise<IndexRow[]> {
    const { owner, peer, after = 0, before, ids, flags = KEPT, absent = 0 } = query
    const rows = this.reader('archive')
      .where('owner', owner)
      .where('id', '>', after)
      .whereRaw('flags & ? = ?', [flags, flags])
      .orderBy('id', query.backwards ? 'desc' : 'asc')
      .limit(limit)
    if (peer) rows.where('peer', peerKey(peer))
    if (before !== undefined) rows.where('id', '<', before)
    if (ids) rows.whereIn('id', [...ids])
    // As the partial index has it
    if (absent > 0) rows.whereRaw(`flags & ${absent} = 0`)
    return rows
  }

  async #messages(rows: readonly IndexRow[]): Promise<Logged[]> {
    if (rows.length === 0) return []
    const found: { id: number; sent_by: string; sent_to: string; text: string }[] =
      await this.reader('messages').whereIn(
        'id',
        rows.map(({ id }) => id),
      )
    const byId = new Map(found.map((message) => [message.id, message]))
    return rows.flatMap(({ id, flags }) => {
      const message = byId.get(id)
      if (!message) return []
      return { id, from: message.sent_by, to: message.sent_to, text: message.text, flags }
    })
  }
}

function fits(row: IndexRow, query: PageQuery): boolean {
  const { after = 0, before = Number.POSITIVE_INFINITY, flags = KEPT, absent = 0 } = query
  if (row.id <= after || row.id >= before || (row.flags & flags) !== flags) return false
  if (row.flags & absent) return false
  if (query.peer && row.peer !== peerKey(query.peer)) return false
  return !query.ids || query.ids.includes(row.id)
}
