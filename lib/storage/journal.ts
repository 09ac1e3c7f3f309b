// The journal: group commit. Everything one stanza leaves behind is one entry, and an entry is on
// disk as a whole or not at all. While one group is on its way, whatever arrives forms the next;
// there are no timers. A group that fails is tried again entry by entry, so that only the sender of
// the entry that fails alone hears of it. Changes run in the order in which entries were committed,
// and may run twice: they must do nothing but write through their trx. Plain rows are far cheaper
// than changes: those of a whole group go to each table at once, after all changes. A commit whose
// answer was lost is looked up before anybody is told.

import type { Knex } from 'knex'
import { StanzaError } from '../xmpp/errors.js'
import { CommitMark } from './commit-mark.js'
import type { Database } from './database.js'
import { insertRows } from './rows.js'
import type { Row } from './rows.js'

export type Change = (trx: Knex.Transaction) => Promise<void>

export interface JournalEntry {
  /** Adds a change to what this stanza leaves behind. */
  write(change: Change): void
  /** Adds a row; rows of one table are inserted in the order in which they were added. */
  insert(table: string, row: Row): void
  readonly empty: boolean
}

export interface JournalOptions {
  /** Entries that may wait, those on their way included; beyond it commit refuses. */
  readonly most?: number
  /** Entries in one transaction */
  readonly group?: number
  /** How long to ask for the outcome of a commit whose answer was lost, in milliseconds */
  readonly patience?: number
}

class Entry implements JournalEntry {
  readonly changes: Change[] = []
  readonly rows: { table: string; row: Row }[] = []

  get empty(): boolean {
    return this.changes.length === 0 && this.rows.length === 0
  }

  write(change: Change): void {
    this.changes.push(change)
  }

  insert(table: string, row: Row): void {
    this.rows.push({ table, row })
  }
}

interface Waiting {
  readonly entry: Entry
  resolve(): void
  reject(error: unknown): void
}

export class Journal {
  readonly #database: Pick<Database, 'transaction'>
  readonly #mark = new CommitMark()
  readonly #most: number
  readonly #group: number
  readonly #patience: number
  #waiting: Waiting[] = []
  #underWay = 0
  #running: Promise<void> | undefined
  #closed = false

  /** The database has been through `migrate`. */
  constructor(database: Pick<Database, 'transaction'>, options: JournalOptions = {}) {
    this.#database = database
    this.#most = options.most ?? 20_000
    this.#group = options.group ?? 500
    this.#patience = options.patience ?? 60_000
  }

  entry(): JournalEntry {
    return new Entry()
  }

  /** Resolves when the entry is on disk; rejects when it is not and never will be. */
  commit(entry: JournalEntry): Promise<void> {
    if (entry.empty) return Promise.resolve()
    if (this.#closed || this.#waiting.length + this.#underWay >= this.#most) {
      return Promise.reject(new StanzaError('resource-constraint'))
    }
    const committed = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entry: entry as Entry, resolve, reject })
    })
    this.#running ??= this.#run()
    return committed
  }

  /** Resolves when everything committed so far is done. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Finishes what was committed; refuses what comes now. */
  close(): Promise<void> {
    this.#closed = true
    return this.idle()
  }

  async #run(): Promise<void> {
    // One turn of microtasks, so that all that one read from a socket brought is one group.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#group)
      this.#underWay = group.length
      await this.#commitGroup(group)
      this.#underWay = 0
    }
    this.#running = undefined
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(group)
      for (const { resolve } of group) resolve()
    } catch (error) {
      if (group.length === 1) group[0]!.reject(error)
      else for (const entry of group) await this.#commitGroup([entry])
    }
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const number = this.#mark.next()
    let written = false
    try {
      await this.#database.transaction(async (trx) => {
        for (const { entry } of group) {
          for (const change of entry.changes) await change(trx)
        }
        const rows = byTable(group).map((batch) => insertRows(trx, batch.table, batch.rows))
        await Promise.all([...rows, this.#mark.write(trx, number)])
        written = true
      })
    } catch (error) {
      // An error after all was written may be a lost answer to a commit that took place.
      if (!written || !(await this.#committed(number))) throw error
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

interface Batch {
  readonly table: string
  readonly rows: Row[]
}

/** Tables in the order of their first row; rows with other columns make another batch. */
function byTable(group: readonly Waiting[]): Batch[] {
  const batches = new Map<string, Batch>()
  for (const { entry } of group) {
    for (const { table, row } of entry.rows) {
      const key = `${table} ${Object.keys(row)}`
      const batch = batches.get(key)
      if (batch) batch.rows.push(row)
      else batches.set(key, { table, rows: [row] })
    }
  }
  return [...batches.values()]
}
