// Reading the message log, the same for both stores: ranges of an index joined with the messages, always
// by number. SQLite adds the part of the index that is not on disk yet.

import type { Knex } from 'knex'
import { conversationsOf, unreadOf } from './conversations.js'
import type { Database } from './database.js'
import { KEPT } from './logged-message.js'
import { recorded, type StoredMessage } from './message-rows.js'
import {
  type Conversation,
  type IndexRow,
  isBetween,
  type LabelQuery,
  type Logged,
  type Page,
  type PageQuery,
  peerKey,
  type Place,
  type Recorded,
} from './message-log.js'

/** How many index rows are read at a time where a filter makes a page sparse */
const SPARSE = 1000
const LONG_SPAN = 20_000
/** Beyond so many the page ends with what was found, if that is anything. */
const MOST_LOOKED_AT = 20_000
/** Messages of one conversation with the same id: whoever uses one twice gets the newest. */
const MOST_LABELLED = 20

const TOGETHER = ['archive.*', 'messages.sent_by', 'messages.sent_to', 'messages.text']

export abstract class MessageReader {
  protected readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  protected get reader(): Knex {
    return this.database.reader
  }

  /** Index rows of an account that are not in the table yet, by number. */
  protected abstract pending(owner: number): readonly IndexRow[]

  async page(query: PageQuery): Promise<Page> {
    const { limit, peer, backwards } = query
    const found: Logged[] = []
    let range = query
    for (let wanted = limit + 1, looked = 0; ; wanted = Math.max(wanted, SPARSE)) {
      const rows = await this.#range(range, wanted)
      const fitting = rows.filter((row) => isWanted(row, query))
      // A resource is found in the messages alone; all else the index tells.
      const chosen = peer && !peer.isBare ? fitting : fitting.slice(0, limit + 1 - found.length)
      const messages = await this.#messages(chosen)
      found.push(...messages.filter((message) => !peer || isBetween(message, peer)))
      looked += rows.length
      const ended = rows.length < wanted && chosen.length === fitting.length
      if (ended || found.length > limit || (found.length > 0 && looked >= MOST_LOOKED_AT)) {
        const page = found.slice(0, limit)
        if (backwards) page.reverse()
        return { messages: page, complete: ended && found.length <= limit }
      }
      const last = (chosen.length < fitting.length ? chosen : rows).at(-1)!.id
      range = backwards ? { ...range, before: last } : { ...range, after: last }
    }
  }

  unread(owner: number, places: readonly Place[]): Promise<readonly number[]> {
    return unreadOf(this.database, this.pending(owner), { owner, places })
  }

  conversations(owner: number, limit: number): Promise<readonly Conversation[]> {
    return conversationsOf(this.database, this.pending(owner), { owner, limit })
  }

  async labelled({ owner, peer, label }: LabelQuery): Promise<readonly Logged[]> {
    const query = { owner, peer: peer.bare, limit: 0, backwards: true, flags: 0 }
    const found: IndexRow[] = []
    // Most are about what was said lately; only where that is not so all of a conversation is read.
    for (let before = Number.MAX_SAFE_INTEGER, span = SPARSE; ; span = LONG_SPAN) {
      const rows = await this.#range({ ...query, before }, span)
      found.push(...rows.filter((row) => row.label === label))
      if (found.length > 0 || rows.length < span) break
      before = rows.at(-1)!.id
    }
    const messages = await this.#messages(found.slice(0, MOST_LABELLED))
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

  async ended(limit: number): Promise<readonly { owner: number; taken: number }[]> {
    await this.indexed()
    return this.reader('archive')
      .join('taken', 'taken.account', 'archive.owner')
      .whereRaw(`archive.flags & ${KEPT} = 0`)
      .whereRaw('archive.id <= taken.id')
      .distinct('archive.owner as owner', 'taken.id as taken')
      .limit(limit)
  }

  /** Rows of the index, in the order in which the page is read, whatever their flags. */
  async #range(query: PageQuery, limit: number): Promise<IndexRow[]> {
    const pending = this.pending(query.owner).filter((row) => isWithin(row, query))
    const stored = await this.#stored(query, limit)
    if (pending.length === 0) return stored
    const rows = new Map(stored.map((row) => [row.id, row]))
    for (const row of pending) if (!rows.has(row.id)) rows.set(row.id, row)
    const sorted = [...rows.values()].sort((a, b) => (query.backwards ? b.id - a.id : a.id - b.id))
    return sorted.slice(0, limit)
  }

  async #stored(query: PageQuery, limit: number): Promise<IndexRow[]> {
    const { owner, peer, after, before, ids, absent = 0, backwards } = query
    const rows = this.reader('archive')
      .where('owner', owner)
      .orderBy('archive.id', backwards ? 'desc' : 'asc')
      .limit(limit)
    // Where reading begins, no more: of conditions that it cannot weigh PostgreSQL expects that they
    // leave next to nothing, and would read all of an archive to sort it.
    const from = backwards ? before : after
    if (from) rows.where('archive.id', backwards ? '<' : '>', from)
    if (peer) rows.where('peer', peerKey(peer))
    if (ids) rows.whereIn('archive.id', [...ids])
    // As the partial index has it
    if (absent > 0) rows.whereRaw(`flags & ${absent} = 0`)
    if (this.#joins(limit)) rows.join('messages', 'messages.id', 'archive.id').select(TOGETHER)
    return (await rows).filter((row: IndexRow) => isWithin(row, query))
  }

  /** On SQLite a second question costs more than the texts of a page; a long stretch needs few of them. */
  #joins(limit: number): boolean {
    return this.database.kind === 'sqlite' && limit < SPARSE
  }

  async #messages(rows: readonly (IndexRow & Partial<Texts>)[]): Promise<Logged[]> {
    if (rows.every(isWhole))
      return rows.map(({ id, flags, sent_by, sent_to, text }) => {
        return { id, from: sent_by, to: sent_to, text, flags }
      })
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

interface Texts {
  sent_by: string
  sent_to: string
  text: string
}

function isWhole(row: IndexRow & Partial<Texts>): row is IndexRow & Texts {
  return row.text !== undefined
}

function isWithin(row: IndexRow, { after = 0, before, peer, ids }: PageQuery): boolean {
  if (row.id <= after || (before !== undefined && row.id >= before)) return false
  if (peer && row.peer !== peerKey(peer)) return false
  return !ids || ids.includes(row.id)
}

function isWanted(row: IndexRow, { flags = KEPT, absent = 0 }: PageQuery): boolean {
  return (row.flags & flags) === flags && (row.flags & absent) === 0
}
