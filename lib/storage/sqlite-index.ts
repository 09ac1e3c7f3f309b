// The part of SQLite's index of the message log that is not on disk yet: rows wait in memory, where
// readers find them, and go in sorted batches. A batch has no transactions of its own: each group of
// messages takes a step of it along, at the pace at which they come, so that nobody waits behind one.
// Nothing of it must be lost by a failure: a step whose group failed goes again with the next one, and
// after a crash rows are made again from the messages. Whoever changes rows does so within its own
// transaction, and in the messages too: a batch is written in others, before or after.

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
/** For each row that came since the last step so many go: a batch ends before the next one is due. */
const AHEAD = 1.25
/** Fewer are not worth the pages that they dirty. */
const STEP = 100
/** Where nobody waits for anything: the thread does nothing else meanwhile. */
const CHUNK = 500

/** Puts back what a transaction that failed had changed here. */
export type Undo = () => void

/** The rows of the messages from one number to another, both inclusive */
type Reread = (from: number, to: number) => Promise<IndexRow[]>

/** The rows of one batch, a step of which is on its way or due */
class Batch {
  readonly rows: WaitingRows
  /** The newest message that has rows here */
  readonly upTo: number
  readonly #steps: Iterator<readonly number[]>
  #step: readonly number[] | undefined
  #size = CHUNK

  constructor(rows: WaitingRows, upTo: number) {
    this.rows = rows
    this.upTo = upTo
    this.#steps = rows.chunks(() => this.#size)[Symbol.iterator]()
  }

  /** The next that is to go; the same one until it has gone. */
  step(size: number): readonly number[] | undefined {
    this.#size = size
    return (this.#step ??= this.#steps.next().value)
  }

  gone(step: readonly number[]): void {
    if (this.#step === step) this.#step = undefined
  }
}

export class DeferredIndex {
  readonly #database: Database
  readonly #reread: Reread
  #pending = new WaitingRows()
  /** On its way: still read from here. */
  #batch: Batch | undefined
  #flushing: Promise<void> | undefined
  #due = BATCH
  /** How many waited for the next batch when the last step went */
  #paced = 0
  /** What becomes of the step on its way */
  #arrived: (() => void) | undefined
  /** The newest message that has its rows here or on disk */
  #seen: number
  /** The newest one that has them on disk, with all before it */
  #reached: number
  /** Messages may be on disk of which nobody was told. */
  #doubtful: { from: number; to: number } | undefined

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

  /** A group is on disk, with the step that went along; all rows up to this message were added. */
  added(upTo: number): void {
    if (upTo > this.#seen) this.#seen = upTo
    this.#arrived?.()
    this.#arrived = undefined
    if (!this.#batch && this.#pending.length >= this.#due) this.#begin()
  }

  /** What goes along with a group of messages. */
  step(): Write[] {
    this.#arrived = undefined
    const batch = this.#batch
    const rows = (this.#pending.length - this.#paced) * AHEAD
    if (!batch || this.#flushing || rows < STEP) return []
    this.#paced = this.#pending.length
    const step = batch.step(rows)
    if (step) {
      this.#arrived = () => batch.gone(step)
      return [insertion(step)]
    }
    if (this.#isDoubtful(batch.upTo)) {
      this.flush().catch(() => undefined)
      return []
    }
    this.#arrived = () => this.#end(batch)
    return [reached(batch.upTo)]
  }

  /** What became of these numbers is not known: the next batch looks. */
  doubt(from: number, to: number): void {
    this.#doubtful = { from: Math.min(this.#doubtful?.from ?? from, from), to }
    if (to > this.#seen) this.#seen = to
  }

  #isDoubtful(upTo: number): boolean {
    return this.#doubtful !== undefined && this.#doubtful.from <= upTo
  }

  /** More does not fit in memory. */
  get full(): boolean {
    return this.#pending.length + (this.#batch?.rows.length ?? 0) >= MOST
  }

  /** An account's, oldest first. */
  rows(owner: number): readonly IndexRow[] {
    return this.#both().flatMap((rows) => rows.rows(owner))
  }

  owners(): readonly number[] {
    return [...new Set(this.#both().flatMap((rows) => [...rows.owners()]))]
  }

  remove(owner: number, which: (row: IndexRow) => boolean): Undo {
    return this.#inBoth((rows) => rows.remove(owner, which))
  }

  mark(owner: number, id: number, flags: number): Undo {
    return this.#inBoth((rows) => rows.mark(owner, id, flags))
  }

  #both(): WaitingRows[] {
    return this.#batch ? [this.#batch.rows, this.#pending] : [this.#pending]
  }

  #inBoth(change: (rows: WaitingRows) => Undo): Undo {
    const undo = this.#both().map(change)
    return () => {
      for (const step of undo) step()
    }
  }

  /** Resolves when everything added so far is on disk; rejects when the disk does not take it. */
  async flushed(): Promise<void> {
    const wanted = this.#seen
    while (this.#reached < wanted || this.#isDoubtful(wanted)) await this.flush()
  }

  /** What waits, or is on its way, without waiting for what comes. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  #begin(): Batch {
    this.#batch = new Batch(this.#pending, this.#seen)
    this.#pending = new WaitingRows()
    this.#paced = 0
    this.#due = BATCH
    return this.#batch
  }

  async #flush(): Promise<void> {
    const batch = this.#batch ?? this.#begin()
    for (let step = batch.step(CHUNK); step; step = batch.step(CHUNK)) {
      await this.#database.write([insertion(step)])
      batch.gone(step)
    }
    const { upTo } = batch
    if (this.#isDoubtful(upTo)) await this.#look(this.#doubtful!.from, upTo)
    await this.#database.write([reached(upTo)])
    this.#end(batch)
  }

  async #look(from: number, upTo: number): Promise<void> {
    for (const step of split(await this.#reread(from, upTo)))
      await this.#database.write([insertion(step)])
    const { to } = this.#doubtful!
    this.#doubtful = to > upTo ? { from: upTo + 1, to } : undefined
  }

  #end(batch: Batch): void {
    if (this.#batch !== batch) return
    this.#batch = undefined
    this.#reached = batch.upTo
    if (this.#pending.longest >= BATCH_OF_ONE) this.#due = this.#pending.length
  }
}

function reached(upTo: number): Write {
  return { put: 'archive_progress', rows: [{ place: 1, indexed: upTo }] }
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
