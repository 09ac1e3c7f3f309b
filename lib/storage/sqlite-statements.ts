// Prepared statements of one SQLite connection, by their text: the most recently used are kept.
// Also what node:sqlite and its stand-in for older versions of Node have in common.

import type { SqliteChanges, SqliteValue } from './sqlite-protocol.js'

export interface SqliteDriver {
  DatabaseSync: new (file: string, options: object) => SqliteHandle
}

export interface SqliteHandle {
  readonly isTransaction: boolean
  prepare(sql: string): Statement
  exec(sql: string): void
  close(): void
}

interface Statement {
  all(...bindings: SqliteValue[]): SqliteValue[][]
  run(...bindings: SqliteValue[]): SqliteChanges
  columns(): { name: string; type: string | null }[]
  setReadBigInts(on: boolean): void
  setReturnArrays(on: boolean): void
}

export interface Prepared {
  readonly statement: Statement
  readonly columns: readonly string[]
  /** Positions of the columns declared as boolean */
  readonly booleans: readonly number[]
}

const MOST = 500

export class SqliteStatements {
  // The connection must stay referenced: a collected one takes its statements along.
  readonly #handle: SqliteHandle
  readonly #kept = new Map<string, Prepared>()

  constructor(handle: SqliteHandle) {
    this.#handle = handle
  }

  get size(): number {
    return this.#kept.size
  }

  prepare(sql: string): Prepared {
    const known = this.#kept.get(sql)
    if (known) this.#kept.delete(sql)
    const prepared = known ?? this.#compile(sql)
    this.#kept.set(sql, prepared)
    if (this.#kept.size > MOST) this.#kept.delete(this.#kept.keys().next().value!)
    return prepared
  }

  /** Needed when tables have changed: the columns of what is prepared may have, too. */
  clear(): void {
    this.#kept.clear()
  }

  #compile(sql: string): Prepared {
    const statement = this.#handle.prepare(sql)
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const columns = statement.columns()
    return {
      statement,
      columns: columns.map(({ name }) => name),
      booleans: columns.flatMap(({ type }, at) => (/^bool/i.test(type ?? '') ? [at] : [])),
    }
  }
}
