// The contract of the message log: what is changed, dropped, expired and forgotten, whether its index
// is on disk yet or not.

import { test } from 'tap'
import { INCOMING, KEPT, RETRACTED, UNREAD } from '../../lib/storage/logged-message.js'
import { addressOf, aside, type Book, juliet, nurse, type OpenBook, romeo } from './message-book.js'

const DAY = 86_400_000

/** Once with the index in memory, where a store has such, and once with it on disk. */
const stages: [string, (book: Book) => Promise<void>][] = [
  ['at once', async () => {}],
  ['when all is on disk', ({ log }) => log.indexed()],
]

async function stored(book: Book): Promise<string[]> {
  return book.database.knex('messages').orderBy('id').pluck('text')
}

export function changesContract(name: string, book: OpenBook): void {
  for (const [when, prepare] of stages) {
    replacingContract(`${name}, ${when}`, book, prepare)
    droppingContract(`${name}, ${when}`, book, prepare)
    forgettingContract(`${name}, ${when}`, book, prepare)
    expiringContract(`${name}, ${when}`, book, prepare)
  }
}

type Prepare = (book: Book) => Promise<void>

function replacingContract(name: string, open: OpenBook, prepare: Prepare): void {
  test(`${name}: what is retracted is replaced for everybody (XEP-0424 §5)`, async (t) => {
    const book = await open(t)
    const { log, say, texts } = book
    const { id } = await say({ text: 'I hate you' })
    await prepare(book)
    await log.replace(id, 'tombstone')
    await log.replace(id + 1, 'nothing there')
    await log.indexed()
    t.strictSame(await stored(book), ['tombstone'])
    for (const owner of [romeo, juliet]) {
      t.strictSame(await texts(owner), ['tombstone'])
      t.strictSame(await texts(owner, { flags: RETRACTED }), ['tombstone'])
    }
  })
}

function droppingContract(name: string, open: OpenBook, prepare: Prepare): void {
  test(`${name}: dropped by one, still there for the other; by both, gone`, async (t) => {
    const book = await open(t)
    const { log, sayAll, texts } = book
    const [a, , c] = await book.sayAll(['a', 'b', 'c'].map((text) => ({ text })))
    await prepare(book)
    await log.drop(romeo, [a!.id, c!.id])
    t.strictSame(await texts(romeo), ['b'])
    t.strictSame(await texts(juliet), ['a', 'b', 'c'])
    await log.drop(juliet, [c!.id])
    await log.indexed()
    t.strictSame(await texts(juliet), ['a', 'b'])
    t.strictSame(await stored(book), ['a', 'b'])
    await log.drop(nurse, [a!.id])
    await log.drop(juliet, [])
    await sayAll([{ text: 'd' }])
    t.strictSame(await texts(juliet), ['a', 'b', 'd'])
  })

  test(`${name}: a message to oneself is gone when it is dropped`, async (t) => {
    const book = await open(t)
    const { id } = await book.say({ text: 'note', to: 'romeo@montague.lit' })
    await prepare(book)
    await book.log.drop(romeo, [id])
    await book.log.indexed()
    t.strictSame(await stored(book), [])
  })

  test(`${name}: what no archive keeps goes when it was taken`, async (t) => {
    const book = await open(t)
    const { log, sayAll } = book
    const owed = { sent: undefined, received: UNREAD }
    const all = await sayAll([
      { text: 'a', ...owed },
      { text: 'b' },
      { text: 'c', ...owed },
      { text: 'd', sent: KEPT, received: 0 },
      { text: 'e', ...owed },
    ])
    await prepare(book)
    t.equal(await log.dropTaken(juliet, all[3]!.id), 3)
    await log.indexed()
    t.strictSame(await book.texts(juliet, { flags: INCOMING }), ['b', 'e'])
    t.strictSame(await book.texts(romeo), ['b', 'd'])
    t.strictSame(await stored(book), ['b', 'd', 'e'])
    t.equal(await log.dropTaken(juliet, all[3]!.id), 0)
    t.strictSame(await log.unread(juliet, [{ peer: addressOf.romeo, after: 0 }]), [2])
  })
}

function forgettingContract(name: string, open: OpenBook, prepare: Prepare): void {
  test(`${name}: an account is forgotten, those it wrote with keep theirs`, async (t) => {
    const book = await open(t)
    const { log, sayAll, database } = book
    await sayAll([{ text: 'a' }, { text: 'b', ...aside }])
    await sayAll([
      { text: 'c', received: undefined },
      { text: 'd', to: 'romeo@montague.lit' },
    ])
    await prepare(book)
    await database.transaction((trx) => log.forget(romeo, trx))
    await log.indexed()
    t.strictSame(await book.texts(romeo), [])
    t.strictSame(await book.texts(juliet), ['a'])
    t.strictSame(await stored(book), ['a', 'b'])
    t.strictSame(await database.knex('archive').where({ owner: romeo }), [])
  })

  test(`${name}: much of an account goes a bounded number at a time, others write in between`, async (t) => {
    const book = await open(t, { journal: { group: 5000 } })
    const { log, sayAll, say, database } = book
    const half = Array.from({ length: 1250 }, (_, at) => ({ text: `${at}`, received: undefined }))
    await sayAll(half)
    await prepare(book)
    await sayAll(half)
    for (const left of [1500, 500]) {
      const cleared = log.clear(romeo)
      await say({ text: 'meanwhile', sent: undefined })
      t.equal(await cleared, true)
      t.equal((await book.texts(romeo, { limit: 9000 })).length, left)
    }
    t.equal(await log.clear(romeo), false)
    await log.indexed()
    t.strictSame(await database.knex('archive').where({ owner: romeo }), [])
    t.strictSame(await stored(book), ['meanwhile', 'meanwhile'])
  })

  test(`${name}: who is not forgotten after all has everything`, async (t) => {
    const book = await open(t)
    const { log, sayAll, database } = book
    await sayAll([{ text: 'a' }, { text: 'b', ...aside }])
    await prepare(book)
    const failing = database.transaction(async (trx) => {
      await log.forget(romeo, trx)
      throw new Error('another module failed')
    })
    await t.rejects(failing, { message: 'another module failed' })
    t.strictSame(await book.texts(romeo), ['a', 'b'])
    await log.indexed()
    t.strictSame(await book.texts(romeo), ['a', 'b'])
    await database.transaction((trx) => log.forget(romeo, trx))
    t.strictSame(await book.texts(romeo), [])
  })
}

function expiringContract(name: string, open: OpenBook, prepare: Prepare): void {
  test(`${name}: what is older than a moment is gone for everybody`, async (t) => {
    const book = await open(t)
    const { log, say, clock, texts } = book
    await say({ text: 'old' })
    clock.advance(DAY)
    const moment = clock.now()
    await say({ text: 'new', ...aside })
    await prepare(book)
    t.equal(await log.expire(0), false)
    t.strictSame(await texts(romeo), ['old', 'new'])
    t.equal(await log.expire(moment), false)
    await log.indexed()
    t.strictSame(await texts(romeo), ['new'])
    t.strictSame(await texts(juliet), [])
    t.strictSame(await stored(book), ['new'])
    t.strictSame(await book.database.knex('archive').orderBy('owner').pluck('owner'), [1, 3])
  })

  test(`${name}: much that expires goes a bounded number at a time`, async (t) => {
    const book = await open(t, { journal: { group: 5000 } })
    await book.sayAll(Array.from({ length: 2500 }, (_, at) => ({ text: `${at}` })))
    book.clock.advance(1000)
    await prepare(book)
    t.equal(await book.log.expire(book.clock.now()), true)
    t.ok((await stored(book)).length > 0)
    t.equal(await book.log.expire(book.clock.now()), false)
    t.strictSame(await stored(book), [])
    await book.log.indexed()
    t.strictSame(await book.database.knex('archive'), [])
  })
}
