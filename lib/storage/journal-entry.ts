// What one stanza leaves behind, gathered before it is committed: on disk as a whole or not at all.

import type { Knex } from 'knex'
import type { LoggedMessage } from './logged-message.js'
import type { Row } from './writes.js'

type Change = (trx: Knex.Transaction) => Promise<void>

export interface TableRow {
  readonly table: string
  readonly row: Row
}

export interface JournalEntry {
  /** Adds a change to what this stanza leaves behind. */
  write(change: Change): void
  /** Adds a row; rows of one table are inserted in the order in which they were added. */
  insert(table: string, row: Row): void
  /** A row in place of an older one with the same key (writes.ts); the one furthest on counts. */
  put(table: string, row: Row): void
  /**
   * The row that counts this entry as done, put like others. Where the entry fails alone, rows with the
   * same key are left out of later entries of its group: they would count it too, before anybody was
   * told that it failed.
   */
  count(table: string, row: Row): void
  /** Once it is committed: its count is on disk with it. */
  readonly counted: boolean
  /** The message that this stanza leaves in the log. */
  message: LoggedMessage | undefined
  readonly empty: boolean
}

export class Entry implements JournalEntry {
  changes: Change[] | undefined
  rows: TableRow[] | undefined
  puts: TableRow[] | undefined
  tally: TableRow | undefined
  counted = false
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

  count(table: string, row: Row): void {
    this.tally = { table, row }
    this.put(table, row)
  }
}
