// The thread that holds one SQLite connection. It answers each batch of statements with a batch of
// answers, in order. Integers travel exactly: whole numbers are bound as integers and read back as
// numbers where they are safe, else as BigInt. A statement that fails inside a transaction dooms it,
// as in PostgreSQL: what follows is refused until the rollback, so that SQLite's own silent
// rollbacks (disk full, I/O error) cannot turn the rest of a transaction into single commits.

import { parentPort, workerData } from 'node:worker_threads'
import { failpoint } from '../ops/failpoint.js'
import { codeOf, errorName } from './sqlite-errors.js'
import { BUSY, ENDING } from './sqlite-protocol.js'
import { SqliteStatements } from './sqlite-statements.js'
import { type PackedRows, unpack } from './sqlite-packing.js'
import type { Prepared, SqliteDriver, SqliteHandle } from './sqlite-statements.js'
import type {
  SqliteAnswer,
  SqliteChanges,
  SqliteFailure,
  SqliteRequest,
  SqliteSettings,
  SqliteValue,
  SqliteWrites,
} from './sqlite-protocol.js'

const ABORTED = { message: 'the transaction has failed already', code: 'SQLITE_ABORT', errno: 4 }

class SqliteThread {
  readonly #connection: SqliteHandle
  readonly #statements: SqliteStatements
  #doomed = false

  constructor(driver: SqliteDriver, settings: SqliteSettings) {
    this.#connection = new driver.DatabaseSync(settings.file, {
      readOnly: settings.readOnly,
      timeout: 10_000,
    })
    this.#statements = new SqliteStatements(this.#connection)
    for (const pragma of pragmas(settings)) this.#connection.exec(`PRAGMA ${pragma}`)
  }

  answer(request: SqliteRequest | SqliteWrites): SqliteAnswer {
    if ('writes' in request) return this.#writeAll(request)
    const { sql, bindings } = request
    const within = this.#connection.isTransaction
    try {
      if (this.#doomed) return this.#whileDoomed(sql)
      return this.#execute(sql, bindings)
    } catch (error) {
      this.#doomed = within && !this.#undoneCommit(sql)
      return { failure: failureOf(error) }
    }
  }

  close(): void {
    this.#statements.clear()
    this.#connection.close()
  }

  #execute(sql: string, bindings: readonly SqliteValue[]): SqliteAnswer {
    const prepared = this.#statements.prepare(sql)
    const values = bindings.map(exact)
    if (prepared.columns.length === 0) return this.#change(prepared, sql, values)
    const rows = prepared.statement.all(...values)
    // Another connection has changed the table since this was prepared.
    if (rows[0] && rows[0].length !== prepared.columns.length) this.#statements.clear()
    const { columns, booleans } = this.#statements.prepare(sql)
    for (const row of rows) plain(row, booleans)
    return { columns, rows }
  }

  #writeAll({ writes, alone }: SqliteWrites): SqliteAnswer {
    if (this.#doomed) return { failure: ABORTED }
    try {
      if (alone) this.#connection.exec('BEGIN IMMEDIATE')
    } catch (error) {
      return { failure: { ...failureOf(error), unsent: true } }
    }
    try {
      const written = writes.map((packed) => this.#repeat(packed))
      failpoint('before-commit')
      if (alone) this.#connection.exec('COMMIT')
      return { written }
    } catch (error) {
      // Also where SQLite has ended the transaction by itself: what follows belongs to it.
      if (!alone) this.#doomed = true
      else if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      return { failure: failureOf(error) }
    }
  }

  // Whole numbers go in as they are: the columns of plain rows have the affinity that makes them such.
  #repeat(packed: PackedRows): Uint32Array {
    const { statement } = this.#statements.prepare(packed.sql)
    const changed = new Uint32Array(packed.counted ? packed.rows : 0)
    unpack(packed, (row, at) => {
      // Telling what changed takes the driver longer than saying that nothing came back.
      if (packed.counted) changed[at] = Number(statement.run(...row).changes)
      else statement.all(...row)
    })
    return changed
  }

  #change(prepared: Prepared, sql: string, values: SqliteValue[]): SqliteChanges {
    const { changes, lastInsertRowid } = prepared.statement.run(...values)
    if (/^\s*(alter|create|drop)\b/i.test(sql)) this.#statements.clear()
    return { changes: Number(changes), lastInsertRowid: safe(lastInsertRowid) }
  }

  #whileDoomed(sql: string): SqliteAnswer {
    const failure = ABORTED
    const done = { changes: 0, lastInsertRowid: 0 }
    if (/^rollback to/i.test(sql) && this.#connection.isTransaction) {
      this.#connection.exec(sql)
      this.#doomed = false
      return done
    }
    if (!/^(commit|rollback\b(?! to))/i.test(sql)) return { failure }
    this.#doomed = false
    if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    return /^rollback/i.test(sql) ? done : { failure }
  }

  /** A commit that failed leaves the transaction open; nobody else would end it. */
  #undoneCommit(sql: string): boolean {
    if (!/^commit/i.test(sql)) return false
    if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    return true
  }
}

function exact(value: SqliteValue): SqliteValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

function safe(value: number | bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function plain(row: unknown[], booleans: readonly number[]): void {
  for (let at = 0; at < row.length; at++) {
    const value = row[at]
    if (typeof value === 'bigint') row[at] = safe(value)
  }
  for (const at of booleans) if (row[at] !== null) row[at] = row[at] !== 0
}

function failureOf(error: unknown): SqliteFailure {
  const { message, errcode, code } = error as Error & { errcode?: number; code?: string }
  const errno = errcode ?? codeOf(message)
  return { message, code: errorName(errno) ?? code ?? 'SQLITE_ERROR', errno }
}

function pragmas({ durability, readOnly }: SqliteSettings): string[] {
  const common = ['cache_size = -32000', 'foreign_keys = on']
  // Who writes reads what it wrote lately: mapped, all of that would count as the process's memory.
  if (readOnly) return [...common, 'mmap_size = 268435456']
  return [
    'page_size = 8192',
    'journal_mode = wal',
    `synchronous = ${durability === 'power' ? 'full' : 'normal'}`,
    'wal_autocheckpoint = 500',
    'temp_store = memory',
    ...common,
  ]
}

async function serve(settings: SqliteSettings): Promise<void> {
  const port = parentPort!
  const builtIn = Number(process.versions.node.split('.')[0]) >= 24
  const name = builtIn ? 'node:sqlite' : '@photostructure/sqlite'
  const driver: SqliteDriver = await import(name)
  const thread = new SqliteThread(driver, settings)
  port.on('message', (batch: (SqliteRequest | SqliteWrites)[] | 'close') => {
    Atomics.store(settings.flags, BUSY, 1)
    if (batch === 'close') {
      thread.close()
      port.close()
    } else if (Atomics.load(settings.flags, ENDING) === 0) {
      port.postMessage(batch.map((request) => thread.answer(request)))
    }
    Atomics.store(settings.flags, BUSY, 0)
    Atomics.notify(settings.flags, BUSY)
  })
  port.postMessage('open')
}

if (parentPort && workerData?.sqlite) await serve(workerData.sqlite)
