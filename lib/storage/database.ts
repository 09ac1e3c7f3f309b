// The database: one place that opens SQLite or PostgreSQL and gives Knex over it. Both stores take
// and give the same values: whole numbers (BigInt beyond 2^53), text, booleans, Buffers, null; times
// are stored as milliseconds in a bigInteger column, never as dates; raw() answers with rows.
// A transaction's callback must use its trx for everything: on SQLite it holds the one connection
// that writes, and a query beside it would wait for it. Reads that may be a moment old go to
// `reader`, which never waits for a transaction.

import { mkdir, open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { silentLog } from '../ops/log.js'
import type { Log } from '../ops/log.js'
import { SqliteDialect } from './sqlite-dialect.js'
import { Unsent } from './trouble.js'
import { type Answer, type Write, writeAlone } from './writes.js'

export interface DatabaseOptions {
  /** 'sqlite' (a file in the folder), 'sqlite:memory' (tests), or postgres://… */
  readonly url: string
  readonly folder: string
  /** What a commit survives: a power cut, or a crash of this process only (SQLite). */
  readonly durability: 'power' | 'crash'
  readonly log?: Log
  /** Whose connections these are, for whoever fences it (lives.ts) */
  readonly life?: string
  /** Connections to PostgreSQL */
  readonly connections?: number
  /** Milliseconds that a statement may take on PostgreSQL; 0 is as long as it takes. */
  readonly limit?: number
}

// Imported, it would be searched for the names that it exports before it is run.
const createKnex = createRequire(import.meta.url)('knex') as (config: Knex.Config) => Knex

const FILE = 'tercet.db'
const ACQUIRE_TIMEOUT = 20_000

export class Database {
  readonly kind: 'sqlite' | 'postgres'
  readonly knex: Knex
  /** For reads outside transactions; sees what is committed. */
  readonly reader: Knex
  readonly #options: DatabaseOptions
  readonly #postgres: Postgres | undefined
  readonly #running = new Set<Promise<unknown>>()
  #transactions = 0
  #closed = false

  static async open(options: DatabaseOptions): Promise<Database> {
    if (isFile(options)) await prepareFile(options.folder)
    const database = new Database(options, await postgresFor(options))
    try {
      await database.knex.raw('select 1')
    } catch (error) {
      await database.close()
      throw error
    }
    return database
  }

  private constructor(options: DatabaseOptions, dialect: Postgres | undefined) {
    this.#options = options
    this.#postgres = dialect
    this.kind = dialect ? 'postgres' : 'sqlite'
    this.knex = dialect ? postgres(options, dialect) : sqlite(options)
    this.reader = isFile(options) ? sqlite(options, true) : this.knex
  }

  /** Commits when `run` is done, rolls back when it throws. */
  async transaction<T>(run: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the database is closed')
    let begun = false
    const running = this.knex.transaction((trx) => {
      // Knex comes here also when BEGIN failed: what is written then would be no transaction.
      begun = !trx.isCompleted()
      return begun ? run(trx) : (undefined as never)
    })
    this.#running.add(running)
    this.#transactions++
    try {
      return await running
    } catch (error) {
      throw begun ? error : new Unsent(error)
    } finally {
      this.#transactions--
      this.#running.delete(running)
    }
  }

  /** Plain writes, all of them or none, in one go. */
  async write(writes: readonly Write[]): Promise<Answer[]> {
    if (this.#closed) throw new Error('the database is closed')
    const running = writeAlone(this.knex, writes, this.#transactions === 0)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** For work that may take long: PostgreSQL puts no limit on its statements. */
  async patiently<T>(work: (database: Database) => Promise<T>): Promise<T> {
    if (this.kind === 'sqlite') return work(this)
    const patient = new Database({ ...this.#options, limit: 0, connections: 1 }, this.#postgres)
    try {
      return await work(patient)
    } finally {
      await patient.close()
    }
  }

  /** Transactions that have begun are finished first. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
    for (const knex of [this.knex, this.reader]) refuseAll(knex)
    await this.knex.destroy()
    if (this.reader !== this.knex) await this.reader.destroy()
  }
}

/** Whether a statement failed because the key is there already, on either store. */
export function isUniqueViolation(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && UNIQUE.has(code)
}

const UNIQUE = new Set([
  '23505',
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'SQLITE_CONSTRAINT_ROWID',
])

function isFile({ url }: DatabaseOptions): boolean {
  return url === 'sqlite'
}

type Postgres = typeof import('./postgres-dialect.js')

/** As PostgreSQL shows it; longer ones it cuts. */
export function connectionName(life: string | undefined): string {
  return life === undefined ? 'tercet' : `tercet ${life}`.slice(0, 63)
}

/** Loaded only by whom it serves: the driver would be a good part of a start on SQLite. */
async function postgresFor({ url }: DatabaseOptions): Promise<Postgres | undefined> {
  return url.startsWith('sqlite') ? undefined : import('./postgres-dialect.js')
}

/** Who asks while it is closed would wait for a connection that never comes, and keep the process meanwhile. */
function refuseAll(knex: Knex): void {
  const closed = () => Promise.reject(new Error('the database is closed: there is no connection'))
  knex.client.acquireConnection = closed
}

/** Nobody else on the machine may read it; SQLite gives its other files the same mode. */
async function prepareFile(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await open(join(folder, FILE), 'a', 0o600)
  await file.close()
}

function sqlite(options: DatabaseOptions, readOnly = false): Knex {
  const file = isFile(options) ? join(options.folder, FILE) : ':memory:'
  return createKnex({
    ...common(options),
    client: SqliteDialect as unknown as typeof Knex.Client,
    connection: { file, durability: options.durability, readOnly } as Knex.StaticConnectionConfig,
    useNullAsDefault: true,
    pool: readOnly ? { min: 0, max: 1, idleTimeoutMillis: 60_000 } : { min: 1, max: 1 },
  })
}

function postgres(options: DatabaseOptions, dialect: Postgres): Knex {
  const { limit = 30_000 } = options
  return createKnex({
    ...common(options),
    client: dialect.PostgresDialect as unknown as typeof Knex.Client,
    connection: {
      connectionString: options.url,
      application_name: connectionName(options.life),
      statement_timeout: limit,
      // For a server that does not answer at all
      query_timeout: limit && limit + 5000,
      connectionTimeoutMillis: 10_000,
      idle_in_transaction_session_timeout: limit,
      keepAlive: true,
      // Statements asked for together leave together; a connection that is late is thrown away.
      pipeline: true,
      types: dialect.readers(),
    } as Knex.PgConnectionConfig,
    pool: {
      min: 0,
      max: options.connections ?? 8,
      idleTimeoutMillis: 60_000,
      afterCreate: prepareConnection,
    },
  })
}

/**
 * What is acknowledged is on disk, also where the server's own setting would not wait for it. And an
 * index is read in its order: while PostgreSQL knows little of a table it would rather gather all rows
 * that fit and sort them.
 */
function prepareConnection(
  connection: { query(sql: string): Promise<unknown> },
  done: (error: unknown, connection: unknown) => void,
): void {
  const sql =
    "select set_config('enable_bitmapscan', 'off', false), " +
    "case when current_setting('synchronous_commit') = 'off' " +
    "then set_config('synchronous_commit', 'on', false) end"
  connection.query(sql).then(
    () => done(null, connection),
    (error) => done(error, connection),
  )
}

// Errors name the statement with its placeholders: values are people's messages and keys.
function common({ log = silentLog }: DatabaseOptions): Knex.Config {
  return {
    acquireConnectionTimeout: ACQUIRE_TIMEOUT,
    compileSqlOnError: false,
    log: {
      warn: (text) => log.warn('database', { text }),
      error: (text) => log.error('database', { text }),
      deprecate: (method, instead) => log.warn('database', { method, instead }),
      debug: () => {},
    },
  }
}
