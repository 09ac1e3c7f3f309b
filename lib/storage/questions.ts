// Questions whose text is always the same, for what is asked so often that making and planning it anew
// would cost more than the answer: each connection prepares it once, and rows come as plain lists in the
// order of the columns. Whoever makes the texts sees to it that there are few of them.

import { createHash } from 'node:crypto'
import type { Database } from './database.js'
import type { SqliteValue } from './sqlite-protocol.js'

type Values = readonly (number | string | readonly number[])[]

interface Pool {
  acquireConnection(): Promise<unknown>
  releaseConnection(connection: unknown): Promise<void>
}

interface SqliteThread {
  run(request: { sql: string; bindings: Values }): Promise<{ rows: SqliteValue[][] }>
}

interface PostgresClient {
  query(query: object): Promise<{ rows: unknown[][] }>
}

/** PostgreSQL cuts names at 63 bytes. */
const names = new Map<string, string>()

/** Asks `reader`; values stand in the text as `?`. */
export async function ask(
  { kind, reader }: Database,
  text: string,
  values: Values,
): Promise<unknown[][]> {
  const pool = reader.client as Pool
  const connection = await pool.acquireConnection()
  try {
    const answer =
      kind === 'sqlite'
        ? (connection as SqliteThread).run({ sql: text, bindings: values })
        : (connection as PostgresClient).query(prepared(text, values))
    return (await answer).rows
  } finally {
    await pool.releaseConnection(connection)
  }
}

function prepared(sql: string, values: Values): object {
  let place = 0
  const text = sql.replaceAll('?', () => `$${++place}`)
  const name = names.get(sql) ?? createHash('sha256').update(sql).digest('base64url')
  names.set(sql, name)
  return { name, text, values, rowMode: 'array' }
}
