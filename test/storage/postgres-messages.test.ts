// The message log on PostgreSQL: the contract, and its months.

import { test, type Test } from 'tap'
import type { Clock } from '../../lib/ops/clock.js'
import { Database } from '../../lib/storage/database.js'
import { timeOf } from '../../lib/storage/logged-message.js'
import { type MessageLog, openMessageLog } from '../../lib/storage/message-log.js'
import { Whereabouts } from '../../lib/storage/whereabouts.js'
import { bookOf, juliet, messageOf, romeo } from '../contracts/message-book.js'
import type { Book } from '../contracts/message-book.js'
import { messageLogContract } from '../contracts/message-log.js'
import type { StoreKind } from '../contracts/stores.js'
import { ManualClock } from '../world/clock.js'
import { freshPostgres } from '../world/postgres.js'

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
}

messageLogContract(postgres)

const open = bookOf(postgres)
const DAY = 86_400_000

async function months({ database }: Book): Promise<string[]> {
  const rows: { name: string }[] = await database.knex.raw(
    "select relname as name from pg_class where relname ~ '^(messages|archive)_y' and relkind = 'r' order by 1",
  )
  return rows.map(({ name }) => name)
}

async function monthsWithRows({ database }: Book): Promise<string[]> {
  const rows: { name: string }[] = await database.knex.raw(
    'select distinct tableoid::regclass::text as name from messages order by 1',
  )
  return rows.map(({ name }) => name)
}

test('tables of months are there before the month, and old months go whole', async (t) => {
  const clock = new ManualClock(Date.UTC(2026, 10, 21))
  const book = await open(t, { clock })
  const { say, log, texts } = book
  const both = (month: string) => [`archive_${month}`, `messages_${month}`]
  t.strictSame(await months(book), [...both('y2026m11'), ...both('y2026m12')].sort())
  await say({ text: 'November' })
  clock.advance(20 * DAY)
  await say({ text: 'December' })
  t.equal(await log.tidy(), false)
  clock.advance(25 * DAY)
  await say({ text: 'January' })
  t.strictSame(await monthsWithRows(book), [
    'messages_y2026m11',
    'messages_y2026m12',
    'messages_y2027m01',
  ])
  t.equal(await log.expire(Date.UTC(2026, 11, 5)), false)
  t.notMatch(await months(book), ['archive_y2026m11'])
  t.strictSame(await texts(juliet), ['December', 'January'])
  t.equal(await log.expire(Date.UTC(2026, 11, 15)), false)
  t.strictSame(await monthsWithRows(book), ['messages_y2027m01'], 'the rest of a month row by row')
  t.strictSame(await texts(romeo), ['January'])
})

test('a month that went by half goes whole the next time', async (t) => {
  const clock = new ManualClock(Date.UTC(2026, 10, 21))
  const book = await open(t, { clock })
  const { say, log, database, texts } = book
  await say({ text: 'November' })
  clock.advance(20 * DAY)
  await say({ text: 'December' })
  await database.knex.raw('create view held as select * from archive_y2026m11')
  await t.rejects(log.expire(Date.UTC(2026, 11, 5)), { code: '2BP01' })
  await database.knex.raw('drop view held')
  await database.knex.raw('create view held as select * from messages_y2026m11')
  await t.rejects(log.expire(Date.UTC(2026, 11, 5)), { code: '2BP01' })
  await database.knex.raw('drop view held')
  t.equal(await log.expire(Date.UTC(2026, 11, 5)), false)
  t.strictSame(await months(book), ['archive_y2026m12', 'messages_y2026m12'])
  t.strictSame(await database.knex('archive').pluck('owner'), [romeo, juliet])
  t.strictSame(await texts(juliet), ['December'])
})

test('a month that came unprepared has no table of its own, and loses nothing', async (t) => {
  const clock = new ManualClock(Date.UTC(2026, 0, 15))
  const book = await open(t, { clock })
  await book.say({ text: 'January' })
  clock.advance(80 * DAY)
  const april = clock.now()
  await book.say({ text: 'April' })
  t.strictSame(await monthsWithRows(book), ['messages_rest', 'messages_y2026m01'])
  await book.log.tidy()
  clock.advance(1)
  await book.say({ text: 'April again' })
  t.strictSame(await monthsWithRows(book), ['messages_rest', 'messages_y2026m01'])
  clock.advance(30 * DAY)
  await book.say({ text: 'May' })
  t.strictSame(await book.texts(juliet), ['January', 'April', 'April again', 'May'])
  await book.log.expire(april + 1)
  t.strictSame(await book.texts(juliet), ['April again', 'May'])
})

test('nodes that start together make each month once', async (t) => {
  const store = await postgres.fresh()
  const books = await Promise.all([1, 2, 3].map(() => open(t, { store })))
  t.equal((await months(books[0]!)).length, 4)
})

test('what looked for a lost group and was cut short finds all of it the next time', async (t) => {
  const { log, say, database } = await open(t)
  await say({ text: 'before' })
  const lost = ['a', 'b', 'c'].map((text) => messageOf({ text }))
  await database.write(log.writes(lost))
  const { client } = database.knex
  const { raw } = client
  let asked = 0
  client.raw = (...given: unknown[]) => {
    if (++asked === 2) throw new Error('Connection terminated unexpectedly')
    return raw.apply(client, given)
  }
  await t.rejects(log.recover(lost))
  await log.recover(lost)
  for (const { id, duplicate } of lost) t.ok(id > 0 && !duplicate)
})

test('a lost group is not taken for what another node wrote before it', async (t) => {
  const one = await open(t)
  const other = await open(t, { store: one.store, clock: one.clock })
  await one.say({ text: 'before', key: '1' })
  const same = await other.say({ text: 'a' })
  const lost = [{ text: 'a' }, { text: 'before', key: '1' }, { text: 'b' }].map((words) =>
    messageOf(words),
  )
  await one.database.write(one.log.writes(lost))
  await other.say({ text: 'b' })
  await one.log.recover(lost)
  t.strictSame(
    lost.map(({ id, duplicate }) => [id, duplicate]),
    [
      [same.id + 1, false],
      [0, true],
      [same.id + 3, false],
    ],
  )
})

/** Two logs of several nodes over one database, where Juliet has a session. */
async function severalLogs(t: Test, [one, other]: readonly [Clock, Clock]) {
  const store = await postgres.fresh()
  const database = await store.open()
  t.teardown(() => database.close())
  const whereabouts = await Whereabouts.open(database, 'a life')
  t.teardown(() => whereabouts.close())
  const logs = [
    await openMessageLog(database, one, true),
    await openMessageLog(database, other, true),
  ] as const
  await whereabouts.here({ account: juliet, address: 'juliet@capulet.lit' })
  const write = async (log: MessageLog, text: string) => {
    const message = messageOf({ text })
    log.written([message], await database.write(log.writes([message])))
    return message
  }
  return { logs, database, write }
}

test('of a lost group it is found what was before each message in the logs of its accounts', async (t) => {
  const clock = new ManualClock()
  const { logs, database, write } = await severalLogs(t, [clock, clock])
  const [one, other] = logs
  const before = await write(other, 'before')
  const lost = ['a', 'b'].map((text) => messageOf({ text }))
  await database.write(one.writes(lost))
  const after = await write(other, 'after')
  await one.recover(lost)
  t.strictSame(
    [...lost, after].map(({ recipient }) => recipient!.previous),
    [before.id, lost[0]!.id, lost[1]!.id],
  )
})

test('what a database that hung has taken late is before what comes then', async (t) => {
  const clock = new ManualClock()
  const hung = new ManualClock(clock.now() - 90_000)
  const { logs, write } = await severalLogs(t, [hung, clock])
  const [one, other] = logs
  const late = await write(one, 'sent before it hung')
  const next = await write(other, 'sent when it went on')
  t.equal(next.recipient!.previous, late.id)
})

test('who asks at the same time whether there is anything newer asks together, and is told of all before', async (t) => {
  const { log, say, database } = await open(t)
  const [first, last] = [await say({ text: 'first' }), await say({ text: 'last' })]
  const { client } = database.reader
  const { acquireConnection } = client
  let asked = 0
  client.acquireConnection = () => {
    asked++
    return acquireConnection.call(client)
  }
  const late = say({ text: 'later' })
  const ask = (owner: number, after: number) => log.mayHaveNewer(owner, after)
  const alone = ask(romeo, 0)
  const together = [ask(romeo, first.id), ask(romeo, last.id + 1000), ask(juliet, 0), ask(3, 0)]
  t.strictSame(await Promise.all([alone, ...together]), [true, true, false, true, false])
  t.ok(asked <= 3, `${asked} connections were taken`)
  t.equal(await ask(juliet, last.id), (await late).id > last.id)
})

test('with several nodes one whose clock is ahead does not set the numbers of all ahead', async (t) => {
  const store = await postgres.fresh()
  const database = await store.open()
  t.teardown(() => database.close())
  const whereabouts = await Whereabouts.open(database, 'a life')
  t.teardown(() => whereabouts.close())
  const written = async (time: number): Promise<number> => {
    const log = await openMessageLog(database, new ManualClock(time), true)
    const message = messageOf({ text: 'when?', key: `at ${time}` })
    const plain = messageOf({ text: 'and now?' })
    for (const one of [message, plain]) log.written([one], await database.write(log.writes([one])))
    t.ok(plain.id > message.id)
    return timeOf(message.id)
  }
  const past = Date.UTC(2025, 0, 1)
  t.equal(await written(past), past, 'behind it may be')
  const hour = 3_600_000
  const time = await written(Date.now() + hour)
  t.ok(Math.abs(time - Date.now()) < hour / 2)
})
