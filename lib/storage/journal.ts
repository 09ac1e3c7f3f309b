// The journal: group commit. Everything one stanza leaves behind is one entry, and an entry is on
// disk as a whole or not at all. While one group is on its way, whatever arrives forms the next;
// there are no timers. How a group is written and what becomes of one that fails: group-commit.ts.
// Changes run in the order in which entries were committed, and may run twice: they must do nothing but
// write through their trx. Messages and plain rows are far cheaper: a group of them alone is one question
// to the database. What rides along is gathered and written once in a while.

import { type Clock, systemClock } from '../ops/clock.js'
import { type Log, silentLog } from '../ops/log.js'
import { StanzaError } from '../xmpp/errors.js'
import type { Database } from './database.js'
import { GroupCommit, type Waiting } from './group-commit.js'
import { Entry, type JournalEntry } from './journal-entry.js'
import type { MessageLog } from './message-log.js'
import { Outage } from './outage.js'
import { keyValue, type Row, type Value } from './writes.js'

export type { JournalEntry } from './journal-entry.js'

export interface JournalOptions {
  readonly messages?: MessageLog
  readonly log?: Log
  readonly clock?: Clock
  /** Entries that may wait, those on their way included; beyond it commit refuses. */
  readonly most?: number
  /** Characters of messages that may wait */
  readonly mostText?: number
  /** Entries in one transaction */
  readonly group?: number
  /** How long to wait for a database that cannot be reached, in milliseconds */
  readonly grace?: number
  /** How long to ask for the outcome of a commit whose answer was lost, in milliseconds */
  readonly patience?: number
  /** What this journal is known by (lives.ts) */
  readonly life?: string
  /** This life is over: called once, before those that wait hear that nothing is written. */
  readonly fenced?: () => void
}

/** LIM-journal: beyond a part of what may wait, whoever can wait is asked to. */
const PRESSED = 0.1
/**
 * Turns of the event loop in which a group gathers what the sockets hold already, and what answers to
 * the group before: half as many commits where everybody waits for somebody, and no wait when idle.
 */
const GATHERING = 2
/** Milliseconds in which it gathers as long as every turn brings more */
const LONGEST_GATHERING = 5
/** LIM-riding: what rides along waits no longer than until there is this much of it. */
const MOST_RIDING = 20_000

export class Journal {
  readonly #groups: GroupCommit
  readonly #most: number
  readonly #mostText: number
  readonly #group: number
  /** By table and key */
  readonly #riding = new Map<string, Map<Value, Row>>()
  #ridingRows = 0
  #waiting: Waiting[] = []
  #waitingText = 0
  #underWay = 0
  #running: Promise<void> | undefined
  #closed = false
  #fenced = false
  readonly #whenFenced: () => void

  /** The database has been through `migrate`. */
  constructor(database: Pick<Database, 'transaction' | 'write'>, options: JournalOptions = {}) {
    const { messages, log = silentLog, clock = systemClock } = options
    const { grace = 8000, patience = 60_000, life } = options
    const outage = new Outage(clock, log)
    const fenced = (): void => this.fence()
    const limits = { grace, patience, life, fenced }
    this.#groups = new GroupCommit({ database, messages, outage, clock, ...limits })
    this.#whenFenced = options.fenced ?? (() => {})
    this.#most = options.most ?? 20_000
    this.#mostText = options.mostText ?? 32 * 1024 * 1024
    this.#group = options.group ?? 500
  }

  entry(): JournalEntry {
    return new Entry()
  }

  /** Whoever can wait with what comes next should: more waits than one disk will soon have written. */
  get pressed(): boolean {
    return (
      this.#waiting.length > this.#most * PRESSED || this.#waitingText > this.#mostText * PRESSED
    )
  }

  /** Something is being written: whoever has time for its own writes waits. */
  get busy(): boolean {
    return this.#running !== undefined
  }

  /**
   * Resolves when the entry is on disk; rejects when it is not, or where nobody could find out: then it
   * may be there all the same.
   */
  commit(entry: JournalEntry): Promise<void> {
    return entry.empty ? Promise.resolve() : this.#follow(entry)
  }

  /** Resolves when everything committed so far is on disk or refused. */
  settled(): Promise<void> {
    return this.#follow(new Entry())
  }

  #follow(entry: JournalEntry): Promise<void> {
    const full =
      this.#waiting.length + this.#underWay >= this.#most || this.#waitingText > this.#mostText
    if (this.#closed || full) return Promise.reject(new StanzaError('resource-constraint'))
    this.#waitingText += entry.message?.text.length ?? 0
    const committed = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entry: entry as Entry, resolve, reject })
    })
    this.#running ??= this.#run()
    return committed
  }

  /** Written within a second or two: only the latest row of a key matters, and losing it is no harm. */
  ride(table: string, row: Row): void {
    let rows = this.#riding.get(table)
    if (!rows) this.#riding.set(table, (rows = new Map()))
    this.#ridingRows -= rows.size
    rows.set(keyValue(row), row)
    this.#ridingRows += rows.size
    if (this.#ridingRows > MOST_RIDING) this.hurry()
  }

  /** Has what rides along written now. */
  hurry(): void {
    if (this.#ridingRows === 0 || this.#closed) return
    const entry = new Entry()
    for (const [table, rows] of this.#riding) for (const row of rows.values()) entry.put(table, row)
    this.#forgetRiding()
    this.commit(entry).catch(() => undefined)
  }

  #forgetRiding(): void {
    this.#riding.clear()
    this.#ridingRows = 0
  }

  /**
   * This life was ended by another node: nothing is written any more, and who waits hears the same as of
   * a disk that is full, since elsewhere it may well be stored.
   */
  fence(): void {
    if (this.#fenced) return
    this.#fenced = true
    this.#closed = true
    this.#forgetRiding()
    this.#groups.fence()
    this.#whenFenced()
    const refusal = new StanzaError('resource-constraint', 'it could not be stored')
    for (const { reject } of this.#waiting.splice(0)) reject(refusal)
    this.#waitingText = 0
  }

  /** Resolves when everything committed so far is done; what a life that is over had under way is not. */
  async idle(): Promise<void> {
    while (this.#running && !this.#fenced) await this.#running
  }

  /** Finishes what was committed; refuses what comes now. */
  async close(): Promise<void> {
    this.hurry()
    this.#closed = true
    this.#groups.close()
    await this.idle()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather()
      const group = this.#waiting.splice(0, this.#group)
      for (const { entry } of group) this.#waitingText -= entry.message?.text.length ?? 0
      this.#underWay = group.length
      await this.#groups.commit(group)
      this.#underWay = 0
    }
    this.#running = undefined
  }

  async #gather(): Promise<void> {
    const until = performance.now() + LONGEST_GATHERING
    let before = 0
    for (let turn = 0; turn < GATHERING || this.#goesOn(before, until); turn++) {
      before = this.#waiting.length
      await turnOfTheLoop()
    }
  }

  /** The last turn brought something, and there is room for more. */
  #goesOn(before: number, until: number): boolean {
    const { length } = this.#waiting
    return length > before && length < this.#group && performance.now() < until
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
