// Many plain rows into one table in one go, within a transaction: on SQLite one message to the
// thread, which runs one prepared statement per row; on PostgreSQL one statement whose parameters
// are one array per column, so that its text and plan stay the same for any number of rows.
// Rows of one call have the same columns. Columns left out take their defaults.

import type { Knex } from 'knex'

export type Value = null | boolean | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** What each dialect brings for this. */
export interface RowWriter {
  insertRows(trx: Knex.Transaction, table: string, rows: readonly Row[]): Promise<void>
}

export async function insertRows(
  trx: Knex.Transaction,
  table: string,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return
  await (trx.client as RowWriter).insertRows(trx, table, rows)
}
