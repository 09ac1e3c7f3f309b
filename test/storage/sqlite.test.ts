// SQLite: the contracts, and what only SQLite can get wrong.

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../lib/storage/database.js'
import type { DatabaseOptions } from '../../lib/storage/database.js'
import { Unsent } from '../../lib/storage/trouble.js'
import { writeWithin } from '../../lib/storage/writes.js'
import type { SqliteConnection } from '../../lib/storage/sqlite-connection.js'
import { SqliteStatements } from '../../lib/storage/sqlite-statements.js'
import { databaseContract } from '../contracts/database.js'
import { journalContract } from '../contracts/journal.js'
import { journalFailuresContract } from '../contracts/journal-failures.js'
import { putsContract } from '../contracts/journal-puts.js'
import { migrationsContract } from '../contracts/migrations.js'
import type { StoreKind } from '../contracts/stores.js'

const folders: string[] = []
tap.teardown(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

const sqlite: StoreKind = {
  name: 'SQLite',
  async fresh() {
    const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
    folders.push(folder)
    return { open: () => Database.open({ url: 'sqlite', folder, durability: 'power' }) }
  },
}

databaseContract(sqlite)
migrationsContract(sqlite)
journalContract(sqlite)
putsContract(sqlite)
journalFailuresContract(sqlite)

async function opened(t: Test, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
  folders.push(folder)
  const database = await Database.open({ url: 'sqlite', folder, durability: 'power', ...options })
  t.teardown(() => database.close())
  return database
}

async function pragma(database: Database, name: string): Promise<unknown> {
  const [row] = await database.knex.raw(`pragma ${name}`)
  return Object.values(row)[0]
}

test('durability decides how a commit reaches the disk', async (t) => {
  const power = await opened(t)
  const crash = await opened(t, { durability: 'crash' })
  t.equal(await pragma(power, 'synchronous'), 2)
  t.equal(await pragma(crash, 'synchronous'), 1)
  t.equal(await pragma(power, 'journal_mode'), 'wal')
  t.equal(await pragma(power, 'page_size'), 8192)
})

test('nobody else may read the files', async (t) => {
  const folder = join(await mkdtemp(join(tmpdir(), 'sqlite-')), 'data')
  folders.push(dirname(folder))
  const { knex } = await opened(t, { folder })
  await knex.raw('create table notes (text text)')
  for (const name of ['tercet.db', 'tercet.db-wal', '']) {
    t.equal((await stat(join(folder, name))).mode & 0o077, 0, name)
  }
})

test('a database in memory works, without a folder', async (t) => {
  const database = await opened(t, { url: 'sqlite:memory', folder: '' })
  await database.knex.raw('create table notes (text text)')
  await database.knex('notes').insert({ text: 'a' })
  t.strictSame(await database.reader('notes'), [{ text: 'a' }])
})

test('whole numbers are bound as integers, others as reals', async (t) => {
  const { knex } = await opened(t)
  const kinds = (value: number | bigint) => knex.raw('select typeof(?) as kind', [value as number])
  for (const value of [0, -1, 7_000_000_001, Number.MAX_SAFE_INTEGER, 2n ** 62n]) {
    t.strictSame(await kinds(value), [{ kind: 'integer' }])
  }
  for (const value of [0.5, 1e300]) t.strictSame(await kinds(value), [{ kind: 'real' }])
})

test('the reader cannot write', async (t) => {
  const database = await opened(t)
  await database.knex.raw('create table notes (text text)')
  await t.rejects(Promise.resolve(database.reader('notes').insert({ text: 'a' })), {
    code: 'SQLITE_READONLY',
  })
})

test('a file that is no database is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
  folders.push(folder)
  await writeFile(join(folder, 'tercet.db'), 'no database at all'.repeat(1000))
  await t.rejects(Database.open({ url: 'sqlite', folder, durability: 'power' }), {
    message: /not a database/,
  })
})

test('two servers on one file wait for each other', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
  folders.push(folder)
  const one = await opened(t, { folder })
  const two = await opened(t, { folder })
  await one.knex.raw('create table notes (number integer)')
  const raise = (database: Database) =>
    database.transaction(async (trx) => {
      const row = await trx('notes').max({ most: 'number' }).first()
      await trx('notes').insert({ number: (row?.most ?? 0) + 1 })
    })
  await Promise.all([one, two, one, two, one, two].map(raise))
  t.strictSame(await one.knex('notes').pluck('number').orderBy('number'), [1, 2, 3, 4, 5, 6])
})

test('a database that somebody else is writing to: nothing was sent', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
  folders.push(folder)
  const one = await opened(t, { folder })
  const two = await opened(t, { folder })
  await one.knex.raw('create table notes (number integer)')
  await two.knex.raw('pragma busy_timeout = 0')
  const write = () => two.write([{ insert: 'notes', rows: [{ number: 1 }] }])
  await one.transaction(async () => {
    await t.rejects(
      two.transaction(async () => t.fail('it began')),
      { constructor: Unsent, code: 'SQLITE_BUSY' },
    )
    await t.rejects(write(), { constructor: Unsent, code: 'SQLITE_BUSY' })
  })
  await write()
  t.strictSame(await one.knex('notes').pluck('number'), [1])
})

test('a connection whose thread has ended is replaced', async (t) => {
  const { knex } = await opened(t)
  const connection: SqliteConnection = await knex.client.acquireConnection()
  await connection.close()
  await t.rejects(connection.run({ sql: 'select 1', bindings: [] }), { message: /has ended/ })
  knex.client.releaseConnection(connection)
  t.strictSame(await knex.raw('select 1 as one'), [{ one: 1 }])
})

test('prepared statements have a bound, and the recently used stay', async (t) => {
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite')
  const handle = new DatabaseSync(':memory:')
  const statements = new SqliteStatements(handle)
  const first = statements.prepare('select 0')
  for (let number = 1; number <= 2000; number++) {
    statements.prepare(`select ${number}`)
    statements.prepare('select 0')
  }
  t.equal(statements.size, 500)
  t.equal(statements.prepare('select 0'), first)
  handle.close()
})

test('a hundred thousand statements survive the garbage collector', async (t) => {
  const database = await opened(t, { durability: 'crash' })
  await database.knex.raw('create table notes (number integer primary key, bytes blob)')
  await database.transaction(async (trx) => {
    for (let part = 0; part < 100; part++) {
      const rows = Array.from({ length: 1000 }, (_, at) => ({
        number: part * 1000 + at,
        bytes: Buffer.from(`note ${part} ${at}`),
      }))
      await writeWithin(trx, [{ insert: 'notes', rows }])
      await trx('notes')
        .where('number', '<', 100 * part + 10)
        .limit(1000 + part)
    }
  })
  t.strictSame(await database.reader('notes').count({ count: '*' }), [{ count: 100_000 }])
  t.strictSame(await pragma(database, 'integrity_check'), 'ok')
})

test('the process ends with its own code while the thread is at work', async (t) => {
  const address = new URL('../../lib/storage/database.js', import.meta.url).href
  const program = `
    import { Database } from '${address}'
    const database = await Database.open({ url: 'sqlite:memory', folder: '', durability: 'power' })
    const count = 'with recursive c(x) as (select 1 union all select x + 1 from c where x < 4000) select count(*) from c'
    await database.knex.raw(count)
    database.knex.raw(count.replace('4000', '4000000')).then(() => process.exit(8))
    setTimeout(() => process.exit(7), 50)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program])
  t.equal(status, 7, String(stderr))
})
