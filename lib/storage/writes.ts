// Plain writes in one go: rows to insert, rows to put in place of what is there, statements of a
// store's own. On SQLite all of them are one message to the thread, which runs prepared statements row
// by row; on PostgreSQL they leave together, each with one array per column, so that text and plan stay
// the same for any number of rows. Either as a transaction of their own or within one.

import type { Knex } from 'knex'
import { Unsent } from './trouble.js'

export type Value = null | boolean | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** A statement of one of the stores; its answer is what that store's dialect gives. */
export interface Statement {
  readonly sql: string
  /** SQLite runs it once for each; PostgreSQL has one, and its values may be arrays. */
  readonly runs: readonly (readonly unknown[])[]
  /** SQLite: its answer is how many rows each run changed; else there is none. */
  readonly counted?: boolean
}

export type Write =
  /** Rows of one call have the same columns; columns left out take their defaults. */
  | { readonly insert: string; readonly rows: readonly Row[] }
  /**
   * The first column is the key; no two rows of one write have the same. A row takes the place of one
   * whose second column is not greater: rows only move forward, whatever order they are written in.
   * `strict`: on PostgreSQL a trigger of the table refuses what would not move it forward.
   */
  | { readonly put: string; readonly rows: readonly Row[]; readonly strict?: boolean }
  | Statement

/** SQLite: see `counted`. PostgreSQL: the rows that came back. */
export type Answer = readonly unknown[]

/** What each dialect brings for this. */
export interface WritingDialect {
  write(connection: unknown, writes: readonly Write[], alone: boolean): Promise<Answer[]>
  /** A connection that takes writes alone from several at once, while no transaction is open. */
  readonly open?: unknown
}

interface Pooled extends WritingDialect {
  acquireConnection(): Promise<unknown>
  releaseConnection(connection: unknown): Promise<void>
}

/** Within a transaction. */
export async function writeWithin(
  trx: Knex.Transaction,
  writes: readonly Write[],
): Promise<Answer[]> {
  if (writes.length === 0) return []
  const client = trx.client as Pooled
  return client.write(await client.acquireConnection(), writes, false)
}

/** As a transaction of its own. `free`: no transaction has the connection that writes. */
export async function writeAlone(
  knex: Knex,
  writes: readonly Write[],
  free: boolean,
): Promise<Answer[]> {
  const client = knex.client as Pooled
  // The pool would cost more than the question itself.
  if (free && client.open !== undefined) return client.write(client.open, writes, true)
  const connection = await client.acquireConnection().catch((error) => {
    throw new Unsent(error)
  })
  try {
    return await client.write(connection, writes, true)
  } finally {
    await client.releaseConnection(connection)
  }
}

/** Rows by table and columns, in the order of their first row. */
export function byTable(rows: Iterable<{ table: string; row: Row }>): Write[] {
  const batches = new Map<string, { insert: string; rows: Row[] }>()
  for (const { table, row } of rows) {
    const key = `${table} ${Object.keys(row)}`
    const batch = batches.get(key)
    if (batch) batch.rows.push(row)
    else batches.set(key, { insert: table, rows: [row] })
  }
  return [...batches.values()]
}

/** Rows to put, one of each key: the one that is furthest on. */
export function latest(puts: Iterable<{ table: string; row: Row }>): Write[] {
  const rows = new Map<string, { table: string; row: Row }>()
  for (const put of puts) keepNewer(rows, put)
  const batches = byTable(rows.values()) as { insert: string; rows: Row[] }[]
  return batches.map(({ insert, rows: batch }) => ({ put: insert, rows: batch }))
}

export function keyOf(table: string, row: Row): string {
  return `${table} ${keyValue(row)}`
}

/** The first column is the key. */
export function keyValue(row: Row): Value {
  for (const column in row) return row[column]!
  return null
}

/** A name as both stores take it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** What takes the place of a row with the same key: rows only move forward, the second column tells. */
export function instead(table: string, columns: readonly string[]): string {
  const second = quoted(columns[1]!)
  return `${inAnyCase(columns)} where excluded.${second} >= ${quoted(table)}.${second}`
}

export function inAnyCase([key, ...others]: readonly string[]): string {
  const set = others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`)
  return `on conflict (${quoted(key!)}) do update set ${set}`
}

/** The same rule as between a row and what is on disk. */
function keepNewer(
  rows: Map<string, { table: string; row: Row }>,
  put: { table: string; row: Row },
): void {
  const key = keyOf(put.table, put.row)
  const there = rows.get(key)
  if (there && placeOf(there.row) > placeOf(put.row)) return
  rows.set(key, put)
}

function placeOf(row: Row): number {
  return Number(Object.values(row)[1])
}
