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
  type LogPlace,
  type LogState,
  type Page,
  type PageQuery,
  peerKey,
  type Place,
  type Recorded,
} from './message-log.js'
import { labelQuestion, rangeQuestion, sizeFor, textsQuestion } from './message-questions.js'
import { Newer } from './newer.js'
import { statesOf } from './other-logs.js'
import { ask } from './questions.js'

/** How many index rows are read at a time where a filter makes a page sparse */
const SPARSE = 1000
/** Beyond so many the page ends with what was found, if that is anything. */
const MOST_LOOKED_AT = 20_000
/** LIM-page-texts: messages whose texts are read at a time */
const TOGETHER = 104
/** LIM-label: a label is looked for among so many, and where it is not there among the larger number. */
const LOOK_BACK = [1000, 20_000]
/** Messages of one conversation with the same id: whoever uses one twice gets the newest. */
const MOST_LABELLED = 20

/** A row of the index, with its message where that was read along */
interface Row {
  readonly id: number
  readonly flags: number
  readonly peer: number
  readonly message?: Logged
}

export abstract class MessageReader {
  protected readonly database: Database
  readonly #newer: Newer

  constructor(database: Database) {
    this.database = database
    this.#newer = new Newer(database)
  }

  protected get reader(): Knex {
    return this.database.reader
  }

  /** Index rows of an account that are not in the table yet, by number. */
  protected abstract pending(owner: number): readonly IndexRow[]

  mayHaveNewer(owner: number, after: number): Promise<boolean> {
    return this.#newer.than(owner, after)
  }

  async page(query: PageQuery): Promise<Page> {
    const { limit, backwards } = query
    const found = new Found(query)
    let range = query
    for (let looked = 0, sparse = false; ; ) {
      const size = sizeFor(sparse ? SPARSE : Math.min(found.missing, TOGETHER))
      const rows = await this.#range(range, { size, whole: !sparse })
      const already = found.messages.length
      const last = await this.#gather(rows, found)
      looked += rows.length
      const ended = rows.length < size && last === rows.at(-1)?.id
      if (ended || found.full || (found.messages.length > 0 && looked >= MOST_LOOKED_AT)) {
        const page = found.messages.slice(0, limit)
        if (backwards) page.reverse()
        return { messages: page, complete: ended && found.messages.length <= limit }
      }
      sparse = (found.messages.length - already) * 2 < rows.length
      range = backwards ? { ...range, before: last! } : { ...range, after: last! }
    }
  }

  /** No more than the page needs; gives back the number up to which was looked. */
  async #gather(rows: readonly Row[], found: Found): Promise<number | undefined> {
    const fitting = rows.filter((row) => isWanted(row, found.query))
    const end = fitting.at(-1)?.id
    for (let at = 0; at < fitting.length; ) {
      const slice = fitting.slice(at, at + found.portion)
      at += slice.length
      for (const message of await this.#messages(slice)) {
        found.add(message)
        if (found.full && message.id !== end) return message.id
      }
    }
    return rows.at(-1)?.id
  }

  unread(owner: number, places: readonly Place[]): Promise<readonly number[]> {
    return unreadOf(this.database, this.pending(owner), { owner, places })
  }

  states(places: readonly LogPlace[]): Promise<readonly LogState[]> {
    return statesOf(this.database, (owner) => this.pending(owner), places)
  }

  conversations(owner: number, limit: number): Promise<readonly Conversation[]> {
    return conversationsOf(this.database, this.pending(owner), { owner, limit })
  }

  async labelled({ owner, peer, label }: LabelQuery): Promise<readonly Logged[]> {
    const key = peerKey(peer)
    const rows = new Map<number, Row>()
    for (const row of this.pending(owner))
      if (row.peer === key && row.label === label) rows.set(row.id, row)
    for (const newest of LOOK_BACK) {
      const question = labelQuestion(newest, MOST_LABELLED)
      for (const [id, flags] of (await ask(this.database, question, [
        owner,
        key,
        label,
      ])) as number[][])
        if (!rows.has(id!)) rows.set(id!, { id: id!, flags: flags!, peer: key })
      if (rows.size > 0) break
    }
    const found = [...rows.values()].sort((a, b) => b.id - a.id).slice(0, MOST_LABELLED)
    const messages = await this.#messages(found)
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
  async #range(query: PageQuery, how: { size: number; whole: boolean }): Promise<Row[]> {
    const pending = this.pending(query.owner).filter((row) => isWithin(row, query))
    const { text, values } = rangeQuestion(this.database.kind, query, how)
    const stored = (await ask(this.database, text, values)).map(readRow)
    const rows = new Map(stored.filter((row) => isWithin(row, query)).map((row) => [row.id, row]))
    if (pending.length === 0) return [...rows.values()]
    for (const row of pending) if (!rows.has(row.id)) rows.set(row.id, row)
    const sorted = [...rows.values()].sort((a, b) => (query.backwards ? b.id - a.id : a.id - b.id))
    return sorted.slice(0, how.size)
  }

  async #messages(rows: readonly Row[]): Promise<Logged[]> {
    const bare = rows.filter(({ message }) => !message)
    const read = bare.length > 0 ? await this.#texts(bare) : undefined
    return rows.flatMap(({ id, flags, message }) => {
      const parts = message ?? read?.get(id)
      return parts ? { ...parts, flags } : []
    })
  }

  async #texts(rows: readonly Row[]): Promise<Map<number, Logged>> {
    const ids = rows.map(({ id }) => id)
    const { text, values } = textsQuestion(this.database.kind, ids)
    const found = (await ask(this.database, text, values)) as [number, string, string, string][]
    return new Map(found.map(([id, from, to, text]) => [id, { id, from, to, text, flags: 0 }]))
  }
}

/** What was found of a page, and when it is enough */
class Found {
  readonly query: PageQuery
  readonly messages: Logged[] = []
  #text = 0

  constructor(query: PageQuery) {
    this.query = query
  }

  add(message: Logged): void {
    const { peer } = this.query
    if (peer && !isBetween(message, peer)) return
    this.messages.push(message)
    this.#text += message.text.length
  }

  /** One more than the page has says that it is not the last. */
  get missing(): number {
    return this.query.limit + 1 - this.messages.length
  }

  get full(): boolean {
    const { mostText } = this.query
    return this.missing <= 0 || (mostText !== undefined && this.#text > mostText)
  }

  /** A resource is found in the messages alone; all else the index tells. */
  get portion(): number {
    const { peer } = this.query
    return peer && !peer.isBare ? TOGETHER : Math.min(this.missing, TOGETHER)
  }
}

type RowValues = [number, number, number, string?, string?, string?]

function readRow(values: unknown[]): Row {
  const [id, flags, peer, from, to, text] = values as RowValues
  if (text === undefined || text === null) return { id, flags, peer }
  return { id, flags, peer, message: { id, from: from!, to: to!, text, flags } }
}

function isWithin(row: Row, { after = 0, before, peer, ids }: PageQuery): boolean {
  if (row.id <= after || (before !== undefined && row.id >= before)) return false
  if (peer && row.peer !== peerKey(peer)) return false
  return !ids || ids.includes(row.id)
}

function isWanted(row: Row, { flags = KEPT, absent = 0 }: PageQuery): boolean {
  return (row.flags & flags) === flags && (row.flags & absent) === 0
}
