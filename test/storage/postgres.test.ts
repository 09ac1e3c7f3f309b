// PostgreSQL: the contracts, and what only PostgreSQL can get wrong.

import { spawn } from 'node:child_process'
import type { Knex } from 'knex'
import pg from 'pg'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import { CommitMark } from '../../lib/storage/commit-mark.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Unsent } from '../../lib/storage/trouble.js'
import { type Write, writeWithin } from '../../lib/storage/writes.js'
import { databaseContract } from '../contracts/database.js'
import { journalContract } from '../contracts/journal.js'
import { journalFailuresContract } from '../contracts/journal-failures.js'
import { putsContract } from '../contracts/journal-puts.js'
import { migrationsContract } from '../contracts/migrations.js'
import type { StoreKind } from '../contracts/stores.js'
import { freshPostgres, Postgres } from '../world/postgres.js'

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
}

databaseContract(postgres)
migrationsContract(postgres)
journalContract(postgres)
putsContract(postgres)
journalFailuresContract(postgres)

async function opened(t: Test, url: string): Promise<Database> {
  const database = await Database.open({ url, folder: '', durability: 'power' })
  t.teardown(() => database.close())
  return database
}

test('no statement and no idle transaction may hang for ever', async (t) => {
  const { knex } = await opened(t, await freshPostgres())
  t.strictSame(await knex.raw('show statement_timeout'), [{ statement_timeout: '30s' }])
  const [row] = await knex.raw('show idle_in_transaction_session_timeout')
  t.equal(row.idle_in_transaction_session_timeout, '30s')
})

async function openedWith(t: Test, setting: string): Promise<Database> {
  const url = await freshPostgres()
  const before = await opened(t, url)
  const [{ name }] = await before.knex.raw('select current_database() as name')
  await before.knex.raw(`alter database ${name} set ${setting}`)
  return opened(t, url)
}

test('a statement that takes too long fails, a migration may take its time', async (t) => {
  const url = await freshPostgres()
  const database = await Database.open({ url, folder: '', durability: 'power', limit: 50 })
  t.teardown(() => database.close())
  const slowly = 'select pg_sleep(0.2)'
  await t.rejects(Promise.resolve(database.knex.raw(slowly)), { code: '57014' })
  const slow = { name: 'slow', up: (_: unknown, trx: Knex.Transaction) => trx.raw(slowly) }
  await migrate(database, [{ owner: 'test', migrations: [slow] }])
  await t.rejects(Promise.resolve(database.knex.raw(slowly)), { code: '57014' })
})

test('commits are synchronous even where the server says off', async (t) => {
  const { knex } = await openedWith(t, 'synchronous_commit = off')
  t.strictSame(await knex.raw('show synchronous_commit'), [{ synchronous_commit: 'on' }])
})

test('a stricter setting of the server stays', async (t) => {
  const { knex } = await openedWith(t, 'synchronous_commit = remote_apply')
  t.strictSame(await knex.raw('show synchronous_commit'), [{ synchronous_commit: 'remote_apply' }])
})

test('connections that the server ends are replaced', async (t) => {
  const url = await freshPostgres()
  const [{ knex }, other] = [await opened(t, url), await opened(t, url)]
  const ended = new Promise((resolve) => {
    knex.client.pool.free[0].resource.once('end', resolve)
  })
  await other.knex.raw(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await ended
  t.strictSame(await knex.raw('select 1 as one'), [{ one: 1 }])
})

test('what was committed before a crash of the server is there, what was not is not', async (t) => {
  const server = await Postgres.start()
  t.teardown(() => server.stop())
  const database = await opened(t, await server.database())
  await migrate(database, [])
  await database.knex.raw('create table notes (text text)')
  const journal = new Journal(database)
  const kept = journal.entry()
  kept.insert('notes', { text: 'kept' })
  await journal.commit(kept)
  const lost = journal.entry()
  lost.write(async (trx) => {
    await trx('notes').insert({ text: 'lost' })
    await server.crash()
  })
  await t.rejects(journal.commit(lost))
  const later = journal.entry()
  later.insert('notes', { text: 'later' })
  await journal.commit(later)
  t.strictSame(await database.knex('notes').pluck('text'), ['kept', 'later'])
})

/** Until somebody waits for a lock that another transaction has. */
async function blocked({ knex }: Database): Promise<void> {
  const waiting =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await knex.raw(waiting)).length === 0) await new Promise(setImmediate)
}

for (const number of [1, 2])
  test(`commit ${number} of a journal is waited for by who doubts it`, async (t) => {
    const database = await opened(t, await freshPostgres())
    await migrate(database, [])
    const mark = new CommitMark()
    if (number === 2) await database.write(mark.writes(mark.next()))
    const doubted = mark.next()
    let looked: Promise<boolean> | undefined
    await database.transaction(async (trx) => {
      await writeWithin(trx, mark.writes(doubted))
      looked = mark.committed(database, doubted)
      await Promise.race([looked, blocked(database)])
    })
    t.equal(await looked, true)
    t.equal(await mark.committed(database, mark.next()), false)
  })

for (const earlier of [0, 1])
  test(`after ${earlier} commits: what a server that hung does late was not there when it was looked for, and never is`, async (t) => {
    const database = await opened(t, await freshPostgres())
    await migrate(database, [])
    await database.knex.raw('create table notes (text text)')
    const mark = new CommitMark()
    const note = (text: string): Write => ({ insert: 'notes', rows: [{ text }] })
    if (earlier > 0) await database.write([...mark.writes(mark.next()), note('before')])
    const [first, second] = [mark.next(), mark.next()]
    t.equal(await mark.committed(database, first), false)
    t.equal(await mark.committed(database, second), false)
    t.equal(await mark.committed(database, second), false, 'asked again')
    for (const late of [first, second])
      await t.rejects(database.write([...mark.writes(late), note('late')]), { code: 'TC002' })
    await database.write([...mark.writes(mark.next()), note('after')])
    const notes: string[] = await database.knex('notes').pluck('text')
    t.strictSame(notes, earlier > 0 ? ['before', 'after'] : ['after'])
  })

test('a transaction that begins while it is looked for waits, and is refused', async (t) => {
  const database = await opened(t, await freshPostgres())
  await migrate(database, [])
  const mark = new CommitMark('life')
  await database.write(mark.writes(mark.next()))
  const late = mark.next()
  let wrote: Promise<unknown> | undefined
  await database.transaction(async (trx) => {
    await trx('commits').where({ journal: 'life' }).forUpdate()
    wrote = database.write(mark.writes(late)).then(
      () => 'written',
      (error: { code: string }) => error.code,
    )
    await blocked(database)
    await trx('commits').where({ journal: 'life' }).update({ number: mark.next() })
  })
  t.equal(await wrote, 'TC002')
})

test('no connection, no transaction: nothing was sent', async (t) => {
  const database = await opened(t, await freshPostgres())
  database.knex.client.acquireConnection = () => Promise.reject(new Error('timeout expired'))
  const ran = (): never => t.fail('it began') as never
  await t.rejects(database.transaction(ran), { constructor: Unsent, message: 'timeout expired' })
  await t.rejects(database.write([{ insert: 'notes', rows: [{ text: 'a' }] }]), {
    constructor: Unsent,
    message: 'timeout expired',
  })
})

test('a server that is not there is an error at once', async (t) => {
  const url = 'postgres://tercet@localhost/none?host=%2Fnonexistent'
  await t.rejects(Database.open({ url, folder: '', durability: 'power' }), { code: 'ENOENT' })
})

test('the PostgreSQL of a test process that is killed stops by itself', async (t) => {
  const address = new URL('../world/postgres.js', import.meta.url).href
  const program = `
    import { freshPostgres, Postgres } from '${address}'
    console.log(await freshPostgres())
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  t.teardown(() => child.kill('SIGKILL'))
  const url = await new Promise<string>((resolve) => {
    child.stdout.once('data', (data) => resolve(String(data).trim()))
  })
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  const ended = new Promise((resolve) => client.once('end', resolve))
  child.kill('SIGKILL')
  await ended
  t.pass('it ended the connection')
})
