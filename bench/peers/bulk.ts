// Fills tables of somebody else's schema as fast as the store takes rows: prepared statements in one
// transaction on SQLite, arrays of rows on PostgreSQL.
import { chmodSync } from 'node:fs'
import { DatabaseSync } from '@photostructure/sqlite'
import pg from 'pg'

export type Value = string | number | bigint

export type Table = {
  name: string
  /** Columns with their types on PostgreSQL. */
  columns: Record<string, string>
}

const ROUND = 5000

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ')

export function fillFile(file: string, table: Table, rows: Iterable<Value[]>): void {
  const database = new DatabaseSync(file)
  const names = Object.keys(table.columns)
  const places = names.map(() => '?').join(', ')
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN')
  const insert = database.prepare(`INSERT INTO ${table.name} (${quoted(names)}) VALUES (${places})`)
  for (const row of rows) insert.run(...row)
  database.exec('COMMIT; ANALYZE')
  database.close()
}

export function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
  chmodSync(file, 0o666)
}

export async function fillDatabase(
  address: string,
  table: Table,
  rows: Iterable<Value[]>,
): Promise<void> {
  await connected(address, async (client) => {
    const names = Object.keys(table.columns)
    const arrays = Object.values(table.columns).map((type, i) => `$${i + 1}::${type}[]`)
    const insert = `INSERT INTO ${table.name} (${quoted(names)}) SELECT * FROM unnest(${arrays.join(', ')})`
    for (const columns of rounds(rows, names.length)) await client.query(insert, columns)
    await client.query(`VACUUM ANALYZE ${table.name}`)
  })
}

/** Rows turned into columns, some thousands at a time. */
function* rounds(rows: Iterable<Value[]>, width: number): Generator<Value[][]> {
  const empty = () => Array.from({ length: width }, (): Value[] => [])
  let columns = empty()
  for (const row of rows) {
    for (let i = 0; i < width; i++) columns[i]!.push(row[i]!)
    if (columns[0]!.length < ROUND) continue
    yield columns
    columns = empty()
  }
  if (columns[0]!.length > 0) yield columns
}

export async function connected<T>(
  address: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(address)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
