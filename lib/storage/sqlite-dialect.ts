// Knex's SQLite dialect over our own thread. It takes the query building from Knex and brings the
// connection: values out and in, what a statement answers, and transactions that take the write
// lock at once, so that two processes on one file wait for each other instead of failing.

import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import { SqliteConnection } from './sqlite-connection.js'
import type { SqliteResult } from './sqlite-connection.js'
import { type PackedRows, pack } from './sqlite-packing.js'
import type { SqliteSettings, SqliteValue, SqliteWritten } from './sqlite-protocol.js'
import { type Answer, instead, quoted, type Write, type WritingDialect } from './writes.js'

/** The parts of Knex that a dialect fills in; its own declarations leave them out. */
interface KnexDialect {
  readonly connectionSettings: Omit<SqliteSettings, 'flags'>
}
interface KnexTransaction {
  query(connection: SqliteConnection, sql: string): Promise<unknown>
  readonly client: SqliteDialect
}
interface KnexQuery {
  readonly sql: string
  readonly bindings?: readonly unknown[]
  response?: unknown
  context?: { lastID: number | bigint; changes: number }
}

const require = createRequire(import.meta.url)
const KnexSqlite: new (config: Knex.Config) => KnexDialect = require('knex/lib/dialects/sqlite3')
const SqliteTransaction: new (
  ...given: unknown[]
) => KnexTransaction = require('knex/lib/dialects/sqlite3/execution/sqlite-transaction')

class Transaction extends SqliteTransaction {
  begin(connection: SqliteConnection): Promise<unknown> {
    const { readOnly } = this.client.connectionSettings
    return this.query(connection, readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE')
  }
}

export class SqliteDialect extends KnexSqlite implements WritingDialect {
  #open: SqliteConnection | undefined

  _driver(): object {
    return {}
  }

  transaction(...given: unknown[]): Transaction {
    return new Transaction(this, ...given)
  }

  /** The one connection that writes: whatever it is asked, it does one after the other. */
  get open(): SqliteConnection | undefined {
    return this.#open?.broken === false ? this.#open : undefined
  }

  async acquireRawConnection(): Promise<SqliteConnection> {
    const connection = await SqliteConnection.open(this.connectionSettings)
    if (!this.connectionSettings.readOnly) this.#open = connection
    return connection
  }

  destroyRawConnection(connection: SqliteConnection): Promise<void> {
    return connection.close()
  }

  validateConnection(connection: SqliteConnection): boolean {
    return !connection.broken
  }

  async _query(connection: SqliteConnection, query: KnexQuery): Promise<KnexQuery> {
    const bindings = (query.bindings ?? []).map(outward)
    const result = await connection.run({ sql: query.sql, bindings })
    query.response = 'rows' in result ? objects(result) : []
    const { changes = 0, lastInsertRowid = 0 } = result as Partial<SqliteChangesOf>
    query.context = { changes, lastID: lastInsertRowid }
    return query
  }

  async write(connection: unknown, writes: readonly Write[], alone: boolean): Promise<Answer[]> {
    const request = { writes: writes.map(statement), alone }
    const result = await (connection as SqliteConnection).run(request)
    return (result as SqliteWritten).written.map((changed) => [...changed])
  }
}

function statement(write: Write): PackedRows {
  if ('sql' in write) return pack(write.sql, write.runs as SqliteValue[][], write.counted)
  const table = 'insert' in write ? write.insert : write.put
  const columns = Object.keys(write.rows[0]!)
  const places = columns.map(() => '?')
  const sql = `insert into ${quoted(table)} (${columns.map(quoted)}) values (${places})`
  const runs = write.rows.map((row) => columns.map((column) => outward(row[column])))
  return pack('insert' in write ? sql : `${sql} ${instead(table, columns)}`, runs)
}

type SqliteChangesOf = Extract<SqliteResult, { changes: number }>

function outward(value: unknown): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === undefined) return null
  // A copy of exactly these bytes: posting a slice would post the whole pool that it lies in.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return value as SqliteValue
}

function objects({ columns, rows }: Extract<SqliteResult, { rows: unknown }>): object[] {
  return rows.map((row) => {
    const object: Record<string, unknown> = {}
    for (let at = 0; at < columns.length; at++) object[columns[at]!] = inward(row[at])
    return object
  })
}

function inward(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
