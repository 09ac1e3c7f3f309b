// The journal: group commit. Everything one stanza leaves behind is one entry, and an entry is on
// disk as a whole or not at all. While one group is on its way, whatever arrives forms the next;
// there are no timers. A group that fails is tried again entry by entry, so that only the sender of
// the entry that fails alone hears of it. Changes run in the order in which entries were committed,
// and may run twice: they must do nothing but write through their trx.

import type { Knex } from 'knex'
import { StanzaError } from '../xmpp/errors.js'
import type { Database } from './database.js'

export type Change = (trx: Knex.Transaction) => Promise<void>

export interface JournalEntry {
  /** Adds a change to what this stanza leaves behind. */
  write(change: Change): void
  readonly empty: boolean
}

export interface JournalOptions {
  /** Entries that may wait, those on their way included; beyond it commit refuses. */
  readonly most?: number
  /** Entries in one transaction */
  readonly group?: number
}

class Entry implements JournalEntry {
  readonly changes: Change[] = []

  get empty(): boolean {
    return this.changes.length === 0
  }

  write(change: Change): void {
    this.changes.push(change)
  }
}

interface Waiting {
  readonly changes: readonly Change[]
  resolve(): void
  reject(error: unknown): void
}

export class Journal {
  readonly #database: Pick<Database, 'transaction'>
  readonly #most: number
  readonly #group: number
  #waiting: Waiting[] = []
  #underWay = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(
    database: Pick<Database, 'transaction'>,
    { most = 20_000, group = 500 }: JournalOptions = {},
  ) {
    this.#database = database
    this.#most = most
    this.#group = group
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
    const { changes } = entry as Entry
    const committed = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ changes: changes.slice(), resolve, reject })
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

  #write(group: readonly Waiting[]): Promise<void> {
    return this.#database.transaction(async (trx) => {
      for (const { changes } of group) {
        for (const change of changes) await change(trx)
      }
    })
  }
}
