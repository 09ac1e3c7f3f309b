// Knex's PostgreSQL dialect with what it leaves open: raw queries answer with rows, as on SQLite; a
// COMMIT that PostgreSQL turned into a rollback is an error. Whole numbers are read as numbers where
// they are safe, else as BigInt.

import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import pg from 'pg'
import { expected, failpoint } from '../ops/failpoint.js'
import {
  type Answer,
  inAnyCase,
  instead,
  quoted,
  type Row,
  type Statement,
  type Write,
  type WritingDialect,
} from './writes.js'

interface KnexQuery {
  readonly sql: string
  readonly method?: string
  response?: { command: string; rows: unknown[] }
}
interface KnexDialect {
  _query(connection: object, query: KnexQuery): Promise<KnexQuery>
  processResponse(query: KnexQuery, runner: unknown): unknown
}

interface KnexConnection {
  query(query: {
    text: string
    name?: string
    values: unknown[]
  }): Promise<{ command: string; rows: Record<string, unknown>[] }>
}

const require = createRequire(import.meta.url)
const KnexPostgres: new (config: Knex.Config) => KnexDialect = require('knex/lib/dialects/postgres')

export class PostgresDialect extends KnexPostgres implements WritingDialect {
  override async _query(connection: object, query: KnexQuery): Promise<KnexQuery> {
    await super._query(connection, query)
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, not with an error.
    if (query.response?.command === 'ROLLBACK' && /^commit/i.test(query.sql)) {
      throw new Error('the transaction has failed already')
    }
    return query
  }

  override processResponse(query: KnexQuery, runner: unknown): unknown {
    const answer = super.processResponse(query, runner)
    return query.method === 'raw' ? (answer as { rows: unknown[] }).rows : answer
  }

  async write(connection: unknown, writes: readonly Write[], alone: boolean): Promise<Answer[]> {
    const raw = connection as KnexConnection
    const statements: Statement[] = []
    for (const write of writes)
      statements.push('sql' in write ? write : await statementOf(raw, write))
    if (alone) {
      statements.unshift(BEGIN)
      statements.push(COMMIT)
    }
    if (alone && expected('before-commit')) await stopBefore(raw, statements)
    const results = await pipelined(raw, statements)
    if (!alone) return results.map(({ rows }) => rows)
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, not with an error.
    if (results.at(-1)!.command === 'ROLLBACK')
      throw new Error('the transaction has failed already')
    return results.slice(1, -1).map(({ rows }) => rows)
  }
}

const BEGIN: Statement = { sql: 'begin', runs: [[]] }
const COMMIT: Statement = { sql: 'commit', runs: [[]] }

/** Sent together; the first error is the one that tells what went wrong. */
async function pipelined(connection: KnexConnection, statements: readonly Statement[]) {
  const results = await Promise.allSettled(
    statements.map(({ sql, runs }) =>
      connection.query({ name: preparedName(sql), text: sql, values: runs[0] as unknown[] }),
    ),
  )
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

/** The fault harness ends the process when everything is written and nothing committed. */
async function stopBefore(
  connection: KnexConnection,
  statements: readonly Statement[],
): Promise<void> {
  await pipelined(connection, statements.slice(0, -1))
  failpoint('before-commit')
  await pipelined(connection, [{ sql: 'rollback', runs: [[]] }])
}

async function statementOf(
  connection: KnexConnection,
  write: Exclude<Write, Statement>,
): Promise<Statement> {
  const table = 'insert' in write ? write.insert : write.put
  const columns = Object.keys(write.rows[0]!)
  const kinds = await columnKinds(connection, table, columns)
  const arrays = kinds.map((kind, at) => `$${at + 1}::${kind}[]`)
  const sql = `insert into ${quoted(table)} (${columns.map(quoted)}) select * from unnest(${arrays})`
  const values = columns.map((column) => write.rows.map((row: Row) => row[column] ?? null))
  return { sql: sql + otherwise(write, columns), runs: [values] }
}

function otherwise(write: Exclude<Write, Statement>, columns: readonly string[]): string {
  if ('insert' in write) return ''
  return ` ${write.strict ? inAnyCase(columns) : instead(write.put, columns)}`
}

/** The types of tables' columns, asked once per connection. */
const known = new WeakMap<KnexConnection, Map<string, Map<string, string>>>()

async function columnKinds(
  connection: KnexConnection,
  table: string,
  columns: readonly string[],
): Promise<string[]> {
  const tables = known.get(connection) ?? new Map<string, Map<string, string>>()
  known.set(connection, tables)
  let kinds = tables.get(table)
  if (!kinds || columns.some((column) => !kinds!.has(column))) {
    kinds = await askKinds(connection, table)
    tables.set(table, kinds)
  }
  return columns.map((column) => kinds.get(column) ?? 'text')
}

async function askKinds(connection: KnexConnection, table: string): Promise<Map<string, string>> {
  const text =
    'select attname as name, format_type(atttypid, null) as kind from pg_attribute ' +
    'where attrelid = $1::regclass and attnum > 0 and not attisdropped'
  const { rows } = await connection.query({ text, values: [quoted(table)] })
  return new Map(rows.map(({ name, kind }) => [name as string, kind as string]))
}

/** Texts are few: most are written down, the others differ by the columns of a table. */
const names = new Map<string, string>()
const MOST_NAMES = 1000

// PostgreSQL cuts names at 63 bytes.
function preparedName(text: string): string {
  const found = names.get(text)
  if (found !== undefined) return found
  const name = createHash('sha256').update(text).digest('base64url')
  if (names.size >= MOST_NAMES) names.clear()
  names.set(text, name)
  return name
}

const INT8 = 20
const NUMERIC = 1700

/** How values of PostgreSQL are read: int8 and sums of it as numbers. */
export function readers(): pg.CustomTypesConfig {
  const wholeNumber = (text: string) => {
    const number = Number(text)
    return Number.isSafeInteger(number) ? number : BigInt(text)
  }
  const numeric = (text: string) => (/^-?\d+$/.test(text) ? wholeNumber(text) : Number(text))
  const overrides = new pg.TypeOverrides()
  overrides.setTypeParser(INT8, wholeNumber)
  overrides.setTypeParser(NUMERIC, numeric)
  return overrides
}
