// What the SQLite thread and its owner say to each other.

import type { PackedRows } from './sqlite-packing.js'

export type SqliteValue = null | number | bigint | string | Uint8Array

export interface SqliteSettings {
  readonly file: string
  readonly durability: 'power' | 'crash'
  readonly readOnly: boolean
  /** At BUSY: the thread is at work. At ENDING: the process ends, begin nothing. */
  readonly flags: Int32Array
}

export interface SqliteRequest {
  readonly sql: string
  readonly bindings: readonly SqliteValue[]
}

/** Many plain writes, asked for and answered at once: each statement runs once for each of its rows. */
export interface SqliteWrites {
  readonly writes: readonly PackedRows[]
  /** As a transaction of its own */
  readonly alone: boolean
}

export interface SqliteRows {
  readonly columns: readonly string[]
  readonly rows: readonly SqliteValue[][]
}

export interface SqliteChanges {
  readonly changes: number
  readonly lastInsertRowid: number | bigint
}

export interface SqliteFailure {
  readonly message: string
  readonly code: string
  readonly errno: number
  /** The transaction did not even begin. */
  readonly unsent?: boolean
}

/** How many rows each run of each statement changed */
export interface SqliteWritten {
  readonly written: readonly Uint32Array[]
}

export type SqliteAnswer =
  | SqliteRows
  | SqliteChanges
  | SqliteWritten
  | { readonly failure: SqliteFailure }

export const BUSY = 0
export const ENDING = 1
