// Knex's PostgreSQL dialect with what it leaves open: raw queries answer with rows, as on SQLite; a
// COMMIT that PostgreSQL turned into a rollback is an error. Whole numbers are read as numbers where
// they are safe, else as BigInt.

import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import pg from 'pg'

interface KnexQuery {
  readonly sql: string
  readonly method?: string
  response?: { command: string; rows: unknown[] }
}
interface KnexDialect {
  _query(connection: object, query: KnexQuery): Promise<KnexQuery>
  processResponse(query: KnexQuery, runner: unknown): unknown
}

const require = createRequire(import.meta.url)
const KnexPostgres: new (config: Knex.Config) => KnexDialect = require('knex/lib/dialects/postgres')

export class PostgresDialect extends KnexPostgres {
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
