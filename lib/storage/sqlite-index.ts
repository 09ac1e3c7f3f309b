// The part of SQLite's index of the message log that is not on disk yet: rows wait in memory, where
// readers find them, and go in sorted batches. Nothing of it must be lost by a failure: rows of a batch
// that fails wait on, and after a crash they are made again from the messages. Whoever changes rows does
// so within its own transaction, and in the messages too: a batch is written in others, before or after.
// A batch goes at the pace at which new rows come: live messages wait for one small step of it at most.

import type { Database } from './database.js'
import type { IndexRow } from './message-log.js'
import { side, WaitingRows } from './waiting-rows.js'
import type { Write } from './writes.js'

/** How many rows wait for a batch: the more an account has in it, the fewer pages they dirty. */
const BATCH = 100_000
/** Of one account: whoever reads there looks through them. */
const BATCH_OF_ONE = 5000
/** LIM-index-waiting: rows in memory, a batch on its way included */
const MOST = 300_000
/** How many more must have come before a batch that failed is tried again. */
const AGAIN = 2000
/** Rows of one transaction: the thread does nothing else meanwhile. More only where more come. */
const CHUNK = 500
const LARGEST = 5000
/** For each row that came since the last step so many go: a batch ends before the next one is due. */
const AHEAD = 1.25

/** Puts back what a transaction that failed had changed here. */
export type Undo = () => void

/** The rows of the messages from one number to another, both inclusive */
type Reread = (from: number, to: number) => Promise<IndexRow[]>

export class DeferredIndex {
  readonly #database: Database
  readonly #reread: Reread
  #pending = new WaitingRows()
  /** A batch on its way: still read from here. */
  #moving = new WaitingRows()
  #batch: Promise<void> | undefined
  #due = BATCH
  /** How many wait for a batch of their own to be complete */
  #hurried = 0
  #next: { at: number; go: () => void } | undefined
  /** How many waited for the next batch when the last step was measured */
  #paced = 0
  /** The newest message that has its rows here or on disk */
  #seen: number
  /** The newest one of the batch on its way */
  #upTo = 0
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
    if (this.#pending.add(row) === BATCH_OF_ONE)
      this.#due = Math.min(this.#due, this.#pending.length)
  }

  /** All rows up to this message were added; begins a batch where that is due. */
  added(upTo: number): void {
    if (upTo > this.#seen) this.#seen = upTo
    const { length } = this.#pending
    if (this.#next && length >= this.#next.at) this.#next.go()
    if (length >= this.#due) this.#begin().catch(() => undefined)
  }

  /** What became of these numbers is not known: the next batch looks. */
  doubt(from: number, to: number): void {
    this.#doubtful = Math.min(this.#doubtful ?? from, from)
    if (to > this.#seen) this.#seen = to
  }

  /** More does not fit in memory: batches fail although messages do not. */
  get full(): boolean {
    return this.#pending.length + this.#moving.length >= MOST
  }

  /** An account's, oldest first. */
  rows(owner: number): readonly IndexRow[] {
    return [...this.#moving.rows(owner), ...this.#pending.rows(owner)]
  }

  owners(): readonly number[] {
    return [...new Set([...this.#moving.owners(), ...this.#pending.owners()])]
  }

  remove(owner: number, which: (row: IndexRow) => boolean): Undo {
    return this.#inBoth((rows) => rows.remove(owner, which))
  }

  mark(owner: number, id: number, flags: number): Undo {
    return this.#inBoth((rows) => rows.mark(owner, id, flags))
  }

  #inBoth(change: (rows: WaitingRows) => Undo): Undo {
    const undo = [this.#moving, this.#pending].map(change)
    return () => {
      for (const step of undo) step()
    }
  }

  /** Resolves when everything added so far is on disk; rejects when the disk does not take it. */
  async flushed(): Promise<void> {
    const wanted = this.#seen
    while (this.#reached < wanted || this.#doubtful !== undefined) await this.flush()
  }

  /** What waits, or is on its way, without waiting for what comes. */
  async flush(): Promise<void> {
    this.#hurried++
    this.#next?.go()
    try {
      await this.#begin()
    } finally {
      this.#hurried--
    }
  }

  #begin(): Promise<void> {
    this.#batch ??= this.#move().finally(() => {
      this.#batch = undefined
    })
    return this.#batch
  }

  async #move(): Promise<void> {
    // What failed is still there, and goes first.
    if (this.#moving.length === 0) {
      ;[this.#moving, this.#pending] = [this.#pending, this.#moving]
      this.#upTo = this.#seen
    }
    const upTo = this.#upTo
    const doubtful = this.#doubtful
    // What this batch does not reach is looked at with the next one.
    const rest = doubtful !== undefined && upTo < this.#seen
    this.#doubtful = rest ? Math.max(doubtful, upTo + 1) : undefined
    try {
      await this.#writeUpTo(upTo, doubtful)
    } catch (error) {
      this.#due = this.#pending.length + AGAIN
      if (doubtful !== undefined) this.doubt(doubtful, this.#seen)
      throw error
    }
    this.#reached = upTo
    this.#moving = new WaitingRows()
    this.#due = this.#pending.longest >= BATCH_OF_ONE ? this.#pending.length : BATCH
  }

  async #writeUpTo(upTo: number, doubtful: number | undefined): Promise<void> {
    this.#paced = this.#pending.length
    await this.#write(this.#moving.chunks(() => this.#step()))
    if (doubtful !== undefined) await this.#write(split(await this.#reread(doubtful, upTo)))
    await this.#database.write([{ put: 'archive_progress', rows: [{ place: 1, indexed: upTo }] }])
  }

  async #write(chunks: Iterable<readonly number[]>): Promise<void> {
    let first = true
    for (const sides of chunks) {
      if (!first && this.#hurried === 0) await this.#newRows(sides.length / AHEAD)
      first = false
      await this.#database.write([insertion(sides)])
    }
  }

  #step(): number {
    const { length } = this.#pending
    const came = length - this.#paced
    this.#paced = length
    return Math.min(Math.max(CHUNK, came * AHEAD), LARGEST)
  }

  /** Since the last step so many */
  #newRows(many: number): Promise<void> | undefined {
    const at = this.#paced + many
    if (this.#pending.length >= at) return undefined
    return new Promise((resolve) => {
      const go = (): void => {
        this.#next = undefined
        resolve()
      }
      this.#next = { at, go }
    })
  }
}

function* split(rows: readonly IndexRow[]): Iterable<number[]> {
  for (let at = 0; at < rows.length; at += CHUNK)
    yield rows.slice(at, at + CHUNK).map(({ id, flags }) => side(id, flags))
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

function insertion(sides: readonly number[]): Write {
  let below = Number.MAX_SAFE_INTEGER
  for (const one of sides) if (Math.abs(one) <= below) below = Math.abs(one) - 1
  const small = sides.map((one) => (one > 0 ? one - below : one + below))
  return { sql: INSERT, runs: [[`[${small}]`, below]] }
}
