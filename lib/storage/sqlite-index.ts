// The part of SQLite's index of the message log that is not on disk yet: rows wait in memory, where
// readers find them, and go in sorted batches. Nothing of it must be lost by a failure: rows of a batch
// that fails wait on, and after a crash they are made again from the messages. Whoever changes rows does
// so within its own transaction, and in the messages too: a batch is written in others, before or after.

import type { Database } from './database.js'
import type { IndexRow } from './message-log.js'
import { INCOMING } from './logged-message.js'
import type { Write } from './writes.js'

/** How many rows wait for a batch: the more an account has in it, the fewer pages they dirty. */
const BATCH = 100_000
/** Of one account: whoever reads there looks through them. */
const BATCH_OF_ONE = 5000
/** LIM-index-waiting: rows in memory, a batch on its way included */
const MOST = 300_000
/** How many more must have come before a batch that failed is tried again. */
const AGAIN = 2000
/** Rows of one transaction: the thread does nothing else meanwhile. */
const CHUNK = 1000

/** Puts back what a transaction that failed had changed here. */
export type Undo = () => void

type ByOwner = Map<number, IndexRow[]>
/** The rows of the messages from one number to another, both inclusive */
type Reread = (from: number, to: number) => Promise<IndexRow[]>

export class DeferredIndex {
  readonly #database: Database
  readonly #reread: Reread
  #pending: ByOwner = new Map()
  #count = 0
  /** A batch on its way: still read from here. */
  #moving: ByOwner = new Map()
  #onTheWay = 0
  #batch: Promise<void> | undefined
  #due = BATCH
  /** The newest message that has its rows here or on disk */
  #seen: number
  /** The newest one that has them on disk, with all before it */
  #reached: number
  /** From here on messages may be on disk of which nobody was told. */
  #doubtful: number | undefined

  constructor(database: Database, reached: number, reread: Reread) {
    this.#database = database
    this.#seen = reached
    this.#reached = reached
    this.#reread = reread
  }

  add(row: IndexRow): void {
    this.#count++
    const rows = this.#pending.get(row.owner)
    if (!rows) this.#pending.set(row.owner, [row])
    else if (rows.push(row) === BATCH_OF_ONE) this.#due = Math.min(this.#due, this.#count)
  }

  /** All rows up to this message were added; begins a batch where that is due. */
  added(upTo: number): void {
    if (upTo > this.#seen) this.#seen = upTo
    if (this.#count >= this.#due) this.flush().catch(() => undefined)
  }

  /** What became of these numbers is not known: the next batch looks. */
  doubt(from: number, to: number): void {
    this.#doubtful = Math.min(this.#doubtful ?? from, from)
    if (to > this.#seen) this.#seen = to
  }

  /** More does not fit in memory: batches fail although messages do not. */
  get full(): boolean {
    return this.#count + this.#onTheWay >= MOST
  }

  /** An account's, oldest first. */
  rows(owner: number): readonly IndexRow[] {
    const moving = this.#moving.get(owner)
    const pending = this.#pending.get(owner)
    return merged(moving, pending)
  }

  owners(): readonly number[] {
    return [...new Set([...this.#moving.keys(), ...this.#pending.keys()])]
  }

  remove(owner: number, which: (row: IndexRow) => boolean): Undo {
    const undo: Undo[] = []
    for (const map of [this.#moving, this.#pending]) {
      const rows = map.get(owner)
      const gone = rows?.filter(which) ?? []
      if (gone.length === 0) continue
      const rest = rows!.filter((row) => !which(row))
      this.#replace(map, owner, rest)
      undo.push(() => {
        // A batch may have ended meanwhile.
        const place = map === this.#moving ? map : this.#pending
        this.#replace(place, owner, merged(gone, place.get(owner)))
      })
    }
    return () => {
      for (const step of undo) step()
    }
  }

  #replace(map: ByOwner, owner: number, rows: IndexRow[]): void {
    if (map === this.#pending) this.#count += rows.length - (map.get(owner)?.length ?? 0)
    if (rows.length > 0) map.set(owner, rows)
    else map.delete(owner)
  }

  mark(owner: number, id: number, flags: number): Undo {
    const row = this.rows(owner).find((one) => one.id === id)
    const before = row?.flags
    if (row) row.flags |= flags
    return () => {
      if (row) row.flags = before!
    }
  }

  /** Resolves when everything added so far is on disk; rejects when the disk does not take it. */
  async flushed(): Promise<void> {
    const wanted = this.#seen
    while (this.#reached < wanted || this.#doubtful !== undefined) await this.flush()
  }

  flush(): Promise<void> {
    this.#batch ??= this.#move().finally(() => {
      this.#batch = undefined
    })
    return this.#batch
  }

  async #move(): Promise<void> {
    const upTo = this.#seen
    const doubtful = this.#doubtful
    const moving = this.#pending
    this.#moving = moving
    this.#onTheWay = this.#count
    this.#pending = new Map()
    this.#count = 0
    this.#doubtful = undefined
    try {
      await this.#write(sorted(moving))
      if (doubtful !== undefined) await this.#write(await this.#reread(doubtful, upTo))
      await this.#database.write([{ put: 'archive_progress', rows: [{ place: 1, indexed: upTo }] }])
      this.#reached = upTo
      this.#due = BATCH
      this.#moving = new Map()
      this.#onTheWay = 0
    } catch (error) {
      this.#putBack(moving)
      if (doubtful !== undefined) this.doubt(doubtful, upTo)
      throw error
    }
  }

  async #write(rows: readonly IndexRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += CHUNK)
      await this.#database.write([insertion(rows.slice(at, at + CHUNK))])
  }

  #putBack(moving: ByOwner): void {
    for (const [owner, rows] of this.#pending) moving.set(owner, merged(moving.get(owner), rows))
    this.#pending = moving
    this.#moving = new Map()
    this.#onTheWay = 0
    this.#count = [...moving.values()].reduce((sum, rows) => sum + rows.length, 0)
    this.#due = this.#count + AGAIN
  }
}

/** Older ones come first, but for rows that were put back. */
function merged(older: IndexRow[] = [], newer: IndexRow[] = []): IndexRow[] {
  if (older.length === 0) return newer
  if (newer.length === 0) return older
  const all = [...older, ...newer]
  return older.at(-1)!.id < newer[0]!.id ? all : all.sort((a, b) => a.id - b.id)
}

function sorted(rows: ByOwner): IndexRow[] {
  const all: IndexRow[] = []
  for (const owner of [...rows.keys()].sort((a, b) => a - b)) {
    for (const row of rows.get(owner)!) all.push(row)
  }
  return all
}

/**
 * The rows of a list of numbers, made from the messages as they are now: who was dropped meanwhile has
 * none. Numbers count from one below all of them, small ones being read faster; that of the sender's
 * side has a minus.
 */
const INSERT = `insert or ignore into archive (owner, id, peer, flags, label)
  select iif(side < 0, sender, recipient), id, iif(side < 0, to_peer, from_peer),
    iif(side < 0, sender_flags, recipient_flags), label
  from (select value as side from json_each(?1)) cross join messages on id = ?2 + abs(side)
  where iif(side < 0, sender, recipient) is not null`

function insertion(rows: readonly IndexRow[]): Write {
  let below = Number.MAX_SAFE_INTEGER
  for (const { id } of rows) if (id <= below) below = id - 1
  const sides = rows.map(({ id, flags }) => (flags & INCOMING ? id - below : below - id))
  return { sql: INSERT, runs: [[`[${sides}]`, below]] }
}
