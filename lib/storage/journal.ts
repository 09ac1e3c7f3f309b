// The journal: group commit. Everything one stanza leaves behind is one entry, and an entry is on
// disk as a whole or not at all. While one group is on its way, whatever arrives forms the next;
// there are no timers. A group that fails is tried again entry by entry, so that only the sender of
// the entry that fails alone hears of it. Changes run in the order in which entries were committed,
// and may run twice: they must do nothing but write through their trx. Messages and plain rows are far
// cheaper: a group of them alone is one question to the database. A commit whose answer was lost is
// looked up before anybody is told. What rides along is gathered and written once in a while.

import type { Knex } from 'knex'
import { broken, failpoint } from '../ops/failpoint.js'
import { type Log, silentLog } from '../ops/log.js'
import { StanzaError } from '../xmpp/errors.js'
import { CommitMark } from './commit-mark.js'
import type { Database } from './database.js'
import type { LoggedMessage } from './logged-message.js'
import type { MessageLog } from './message-log.js'
import { isTrouble, isUnsent } from './trouble.js'
import { type Answer, byTable, keyOf, latest, type Row, type Write, writeWithin } from './writes.js'

export type Change = (trx: Knex.Transaction) => Promise<void>

export interface JournalEntry {
  /** Adds a change to what this stanza leaves behind. */
  write(change: Change): void
  /** Adds a row; rows of one table are inserted in the order in which they were added. */
  insert(table: string, row: Row): void
  /** A row in place of an older one with the same key (writes.ts); the one furthest on counts. */
  put(table: string, row: Row): void
  /** The message that this stanza leaves in the log. */
  message: LoggedMessage | undefined
  readonly empty: boolean
}

export interface JournalOptions {
  readonly messages?: MessageLog
  readonly log?: Log
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
}

class Entry implements JournalEntry {
  changes: Change[] | undefined
  rows: { table: string; row: Row }[] | undefined
  puts: { table: string; row: Row }[] | undefined
  message: LoggedMessage | undefined

  get empty(): boolean {
    return !(this.message ?? this.puts ?? this.rows ?? this.changes)
  }

  write(change: Change): void {
    ;(this.changes ??= []).push(change)
  }

  insert(table: string, row: Row): void {
    ;(this.rows ??= []).push({ table, row })
  }

  put(table: string, row: Row): void {
    ;(this.puts ??= []).push({ table, row })
  }
}

interface Waiting {
  readonly entry: Entry
  resolve(): void
  reject(error: unknown): void
}

/** LIM-journal: beyond a part of what may wait, whoever can wait is asked to. */
const PRESSED = 0.1
/**
 * Turns of the event loop in which a group gathers what the sockets hold already, and what answers to
 * the group before: half as many commits where everybody waits for somebody, and no wait when idle.
 */
const GATHERING = 2
const PAUSE = 200
/** LIM-riding: what rides along waits no longer than until there is this much of it. */
const MOST_RIDING = 20_000

export class Journal {
  readonly #database: Pick<Database, 'transaction' | 'write'>
  readonly #messages: MessageLog | undefined
  readonly #log: Log
  readonly #mark = new CommitMark()
  readonly #most: number
  readonly #mostText: number
  readonly #group: number
  readonly #patience: number
  readonly #grace: number
  readonly #riding = new Map<string, { table: string; row: Row }>()
  #waiting: Waiting[] = []
  #waitingText = 0
  #underWay = 0
  #running: Promise<void> | undefined
  #closed = false
  #troubled = false

  /** The database has been through `migrate`. */
  constructor(database: Pick<Database, 'transaction' | 'write'>, options: JournalOptions = {}) {
    this.#database = database
    this.#messages = options.messages
    this.#log = options.log ?? silentLog
    this.#most = options.most ?? 20_000
    this.#mostText = options.mostText ?? 32 * 1024 * 1024
    this.#group = options.group ?? 500
    this.#patience = options.patience ?? 60_000
    this.#grace = options.grace ?? 8000
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

  /** The database takes nothing at the moment: the disk is full, the server is away. */
  get troubled(): boolean {
    return this.#troubled
  }

  /** Resolves when the entry is on disk; rejects when it is not and never will be. */
  commit(entry: JournalEntry): Promise<void> {
    return entry.empty ? Promise.resolve() : this.follow(entry)
  }

  /** The same, but an empty entry too waits for all that were committed before. */
  follow(entry: JournalEntry): Promise<void> {
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
    this.#riding.set(keyOf(table, row), { table, row })
    if (this.#riding.size > MOST_RIDING) this.hurry()
  }

  /** Has what rides along written now. */
  hurry(): void {
    if (this.#riding.size === 0 || this.#closed) return
    const entry = new Entry()
    for (const { table, row } of this.#riding.values()) entry.put(table, row)
    this.#riding.clear()
    this.follow(entry).catch(() => undefined)
  }

  /** Resolves when everything committed so far is done. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Finishes what was committed; refuses what comes now. */
  async close(): Promise<void> {
    this.hurry()
    this.#closed = true
    await this.idle()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (let turn = 0; turn < GATHERING; turn++) await turnOfTheLoop()
      const group = this.#waiting.splice(0, this.#group)
      for (const { entry } of group) this.#waitingText -= entry.message?.text.length ?? 0
      this.#underWay = group.length
      await this.#commitGroup(group)
      this.#underWay = 0
    }
    this.#running = undefined
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    try {
      if (broken('ack-early')) for (const { resolve } of group) resolve()
      await this.#write(group)
      failpoint('after-commit')
      for (const { resolve } of group) resolve()
      this.#recovered()
    } catch (error) {
      // Where nothing reaches the database at all, one by one would fare no better.
      if (group.length === 1 || isUnsent(error))
        for (const { reject } of group) reject(this.#refusal(error))
      else for (const entry of group) await this.#commitGroup([entry])
    }
  }

  /** Trouble with the disk or the server is nobody's fault: the sender may try again later. */
  #refusal(error: unknown): unknown {
    if (!isTrouble(error)) return error
    if (!this.#troubled) this.#log.error('the database takes nothing', { error })
    this.#troubled = true
    return new StanzaError('resource-constraint', 'it could not be stored')
  }

  #recovered(): void {
    if (this.#troubled) this.#log.info('the database takes what it is given again')
    this.#troubled = false
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { messages, changes, rows, puts } = together(group)
    if (messages.length + changes.length + rows.length + puts.length === 0) return
    const number = this.#mark.next()
    try {
      const answers = await this.#send(changes, [
        ...(messages.length > 0 ? this.#messages!.writes(messages) : []),
        ...byTable(rows),
        ...latest(puts),
        ...this.#mark.writes(number),
      ])
      if (messages.length > 0) this.#messages!.written(messages, answers)
    } catch (error) {
      // It may be a lost answer to a commit that took place.
      if (isUnsent(error) || !(await this.#committed(number))) throw error
      if (messages.length > 0) await this.#messages!.recover(messages)
    }
  }

  #send(changes: readonly Change[], writes: readonly Write[]): Promise<Answer[]> {
    return this.#reaching(() => {
      if (changes.length === 0) return this.#database.write(writes)
      return this.#database.transaction(async (trx) => {
        for (const change of changes) await change(trx)
        return writeWithin(trx, writes)
      })
    })
  }

  /** A database that is away may be back in a moment: who waits is not refused at once. */
  async #reaching<T>(work: () => Promise<T>): Promise<T> {
    for (let waited = 0; ; waited += PAUSE) {
      try {
        return await work()
      } catch (error) {
        if (!isUnsent(error) || waited >= this.#grace || this.#closed) throw error
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      }
    }
  }

  async #committed(number: number): Promise<boolean> {
    for (let pause = 50, waited = 0; ; waited += pause, pause = Math.min(pause * 2, 2000)) {
      try {
        return await this.#mark.committed(this.#database, number)
      } catch (error) {
        if (waited > this.#patience) throw error
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }
}

interface Together {
  readonly messages: LoggedMessage[]
  readonly changes: Change[]
  readonly rows: { table: string; row: Row }[]
  readonly puts: { table: string; row: Row }[]
}

function together(group: readonly Waiting[]): Together {
  const all: Together = { messages: [], changes: [], rows: [], puts: [] }
  for (const { entry } of group) {
    if (entry.message) all.messages.push(entry.message)
    if (entry.changes) all.changes.push(...entry.changes)
    if (entry.rows) all.rows.push(...entry.rows)
    if (entry.puts) all.puts.push(...entry.puts)
  }
  return all
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
