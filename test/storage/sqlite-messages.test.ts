// The message log on SQLite: the contract, and what its index in memory could get wrong.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../lib/storage/database.js'
import type { JournalOptions } from '../../lib/storage/journal.js'
import { addressOf, type Book, bookOf, juliet, refused, romeo } from '../contracts/message-book.js'
import { messageLogContract } from '../contracts/message-log.js'
import type { FreshStore, StoreKind } from '../contracts/stores.js'
import { AGAIN, NOTHING, told } from '../contracts/told.js'

const folders: string[] = []
tap.teardown(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'messages-'))
  folders.push(folder)
  return folder
}

function storeIn(folder: string): FreshStore {
  return { open: () => Database.open({ url: 'sqlite', folder, durability: 'crash' }) }
}

const sqlite: StoreKind = {
  name: 'SQLite',
  fresh: async () => storeIn(await place()),
}

messageLogContract(sqlite)

const open = bookOf(sqlite)

async function opened(t: Test, journal: JournalOptions = {}): Promise<Book & { folder: string }> {
  const folder = await place()
  return { ...(await open(t, { store: storeIn(folder), journal })), folder }
}

/** As the files are after kill -9: no goodbye to anybody. */
async function crashed(t: Test, { folder, clock }: Book & { folder: string }): Promise<Book> {
  const copy = await place()
  await cp(folder, copy, { recursive: true })
  return open(t, { store: storeIn(copy), clock })
}

test('what is not in the index on disk yet is on every page', async (t) => {
  const { say, texts, log, database } = await opened(t)
  await say({ text: 'a' })
  await log.indexed()
  await say({ text: 'b' })
  t.strictSame(await database.knex('archive').where({ owner: juliet }).pluck('owner'), [juliet])
  t.strictSame(await texts(juliet), ['a', 'b'])
  t.strictSame(await texts(juliet, { backwards: true, limit: 1 }), ['b'])
  t.strictSame(await texts(romeo, { peer: addressOf.juliet }), ['a', 'b'])
})

test('a page that is read while a batch goes to the disk has everything once', async (t) => {
  const { sayAll, log } = await opened(t)
  const last = (await sayAll(Array.from({ length: 3000 }, (_, at) => ({ text: `${at}` })))).at(-1)
  let moving = true
  const moved = log.indexed().then(() => {
    moving = false
  })
  const peer = addressOf.romeo
  do {
    const { messages } = await log.page({ owner: juliet, peer, limit: 5000 })
    t.equal(messages.length, 3000)
    t.strictSame(await log.unread(juliet, [{ peer, after: 0 }]), [3000])
    t.strictSame(await log.conversations(juliet, 5), [{ peer, id: last!.id }])
  } while (moving)
  await moved
})

test('asking for the index does not wait for what comes later', async (t) => {
  const { say, log } = await opened(t)
  let going = true
  let said = 0
  const talk = (async () => {
    while (going) {
      await say({ text: 'more' })
      said++
    }
  })()
  await say({ text: 'first' })
  await log.indexed()
  going = false
  await talk
  t.ok(said > 0)
})

async function limitPages({ database }: Book, pages: number): Promise<void> {
  await database.knex.raw(`pragma max_page_count = ${pages}`)
}

async function pagesNow({ database }: Book): Promise<number> {
  const [{ page_count }] = await database.knex.raw('pragma page_count')
  return page_count
}

test('a batch that does not fit on the disk waits, and nothing is missing meanwhile', async (t) => {
  const book = await opened(t)
  const { sayAll, texts, log } = book
  await sayAll(Array.from({ length: 2000 }, (_, at) => ({ text: `${at}` })))
  await limitPages(book, await pagesNow(book))
  await t.rejects(log.indexed(), { code: 'SQLITE_FULL' })
  const peer = addressOf.romeo
  const whileFull = async (): Promise<void> => {
    t.equal((await texts(juliet, { limit: 5000 })).length, 2000)
    t.strictSame(await log.unread(juliet, [{ peer, after: 0 }]), [2000])
  }
  await whileFull()
  await t.rejects(log.indexed(), { code: 'SQLITE_FULL' })
  await whileFull()
  await limitPages(book, 1_000_000)
  await log.indexed()
  await whileFull()
  t.strictSame(await book.database.knex('archive').count({ count: '*' }), [{ count: 4000 }])
})

const numbered = (many: number) => Array.from({ length: many }, (_, at) => ({ text: `${at}` }))

async function indexRowsOf({ database }: Book): Promise<number> {
  const [{ count }] = await database.knex.raw('select count(*) as count from archive')
  return count
}

test('what goes along with a group that does not fit goes with a later one', async (t) => {
  const book = await opened(t, { grace: 0 })
  const { sayAll, texts } = book
  await sayAll(numbered(5000))
  await sayAll(numbered(100))
  await limitPages(book, await pagesNow(book))
  await t.rejects(sayAll(numbered(500)), refused)
  t.equal(await indexRowsOf(book), 0)
  await limitPages(book, 1_000_000)
  let more = 0
  for (; (await indexRowsOf(book)) < 10_000; more += 100) await sayAll(numbered(100))
  t.equal((await texts(juliet, { limit: 20_000 })).length, 5100 + more)
})

test('closing does not wait for a disk that is full; a new start makes the index again', async (t) => {
  const book = await opened(t)
  await book.sayAll(Array.from({ length: 2000 }, (_, at) => ({ text: `${at}` })))
  await limitPages(book, await pagesNow(book))
  await book.log.close()
  await book.database.close()
  const again = await open(t, { store: book.store })
  t.equal((await again.texts(juliet, { limit: 5000 })).length, 2000)
})

test('a full disk refuses with resource-constraint, and takes what comes when there is room', async (t) => {
  const { log, lines } = told()
  const book = await opened(t, { log })
  const { say, texts } = book
  await say({ text: 'a' })
  await limitPages(book, await pagesNow(book))
  const large = 'b'.repeat(100_000)
  await t.rejects(say({ text: large }), refused)
  t.strictSame(lines, [NOTHING])
  await limitPages(book, 1_000_000)
  await say({ text: 'c' })
  t.strictSame(lines, [NOTHING, AGAIN])
  t.strictSame(await texts(juliet), ['a', 'c'])
})

test('after a crash the index is made again, also what changed before', async (t) => {
  const book = await opened(t)
  const { sayAll, log } = book
  await sayAll([{ text: 'on disk' }])
  await log.indexed()
  const [a, b] = await sayAll(['a', 'b', 'c'].map((text) => ({ text, label: 3 })))
  await log.replace(a!.id, 'tombstone')
  await log.drop(juliet, [b!.id])
  const after = await crashed(t, book)
  t.strictSame(await after.texts(juliet), ['on disk', 'tombstone', 'c'])
  t.strictSame(await after.texts(romeo), ['on disk', 'tombstone', 'b', 'c'])
  t.strictSame(await after.texts(romeo, { flags: 16 }), ['tombstone'])
  const label = { owner: juliet, peer: addressOf.romeo, label: 3 }
  t.equal((await after.log.labelled(label)).length, 2)
  await after.log.indexed()
  t.strictSame(await after.texts(romeo), ['on disk', 'tombstone', 'b', 'c'])
})

test('numbers go on after a crash that follows the end of the newest message', async (t) => {
  const book = await opened(t)
  const [, second] = await book.sayAll([{ text: 'first' }, { text: 'second' }])
  await book.log.drop(romeo, [second!.id])
  await book.log.drop(juliet, [second!.id])
  book.clock.advance(-60_000)
  const after = await crashed(t, book)
  const third = await after.say({ text: 'third' })
  t.ok(third.id > second!.id)
})

test('a long index is made again in several batches', async (t) => {
  const book = await opened(t)
  const many = Array.from({ length: 4500 }, (_, at) => ({ text: `${at}` }))
  await book.sayAll(many)
  const after = await crashed(t, book)
  t.equal((await after.texts(juliet, { limit: 5000 })).length, 4500)
  await after.log.indexed()
  const progress = await after.database.knex('archive_progress').where({ place: 1 }).first()
  const newest = await after.log.page({ owner: juliet, limit: 1, backwards: true })
  t.equal(progress.indexed, newest.messages[0]!.id)
})

test('who is forgotten while a batch goes to the disk does not come back', async (t) => {
  const { sayAll, log, database, texts } = await opened(t)
  await sayAll(Array.from({ length: 5000 }, (_, at) => ({ text: `${at}` })))
  const moved = log.indexed()
  await database.transaction((trx) => log.forget(juliet, trx))
  await moved
  t.strictSame(await texts(juliet), [])
  t.strictSame(await database.knex('archive').where({ owner: juliet }), [])
  t.equal((await texts(romeo, { limit: 9000 })).length, 5000)
})

test('batches begin by themselves, where one account has much waiting at the latest', async (t) => {
  const book = await opened(t)
  const { sayAll } = book
  await sayAll(numbered(5000))
  t.equal(await indexRowsOf(book), 0)
  // A batch goes along with what is written.
  for (let group = 0; group < 2; group++) await sayAll(numbered(100))
  const first = await indexRowsOf(book)
  t.ok(first > 0 && first < 10_000, 'in small steps')
  while ((await indexRowsOf(book)) < 10_000) await sayAll(numbered(100))
})
