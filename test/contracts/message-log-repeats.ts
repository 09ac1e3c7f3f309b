// The contract of the message log: sent twice, kept once. The same key from the same author within 24
// hours is the same message, whatever happened to the group that it was in.

import { test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { juliet, type OpenBook, refused, romeo } from './message-book.js'

const HOUR = 3_600_000

export function repeatsContract(name: string, book: OpenBook): void {
  test(`${name}: the same key in one group and in later ones is one message`, async (t) => {
    const { say, sayAll, texts } = await book(t)
    const [a, , again] = await sayAll([
      { text: 'a', key: '7' },
      { text: 'b', key: '8' },
      { text: 'a', key: '7' },
      { text: 'c' },
      { text: 'c' },
    ])
    t.strictSame([a!.duplicate, again!.duplicate, again!.id], [false, true, 0])
    const later = await say({ text: 'a', key: '7' })
    t.strictSame([later.duplicate, later.id], [true, 0])
    t.strictSame(await texts(juliet), ['a', 'b', 'c', 'c'])
    t.strictSame(await texts(romeo), ['a', 'b', 'c', 'c'])
  })

  test(`${name}: the same key from another author is another message`, async (t) => {
    const { say, texts } = await book(t)
    await say({ text: 'a', key: '7' })
    const other = await say({ text: 'b', key: '7', from: 'nurse@capulet.lit/hall' })
    t.notOk(other.duplicate)
    t.strictSame(await texts(juliet), ['a', 'b'])
  })

  test(`${name}: a repetition is known across midnight, for 24 hours`, async (t) => {
    const { say, clock, log } = await book(t)
    clock.advance(23 * HOUR)
    await say({ text: 'a', key: '7' })
    clock.advance(2 * HOUR)
    t.equal((await say({ text: 'a', key: '7' })).duplicate, true, 'the next day')
    await log.tidy()
    clock.advance(21 * HOUR)
    t.equal((await say({ text: 'a', key: '7' })).duplicate, true, 'after 23 hours')
    clock.advance(1 * HOUR + 1)
    t.equal((await say({ text: 'a', key: '7' })).duplicate, false, 'after more than 24 hours')
    t.equal((await say({ text: 'a', key: '7' })).duplicate, true, 'that one counts now')
  })

  test(`${name}: keys are not kept for ever`, async (t) => {
    const { say, clock, log, database } = await book(t)
    await say({ text: 'a', key: '7' })
    clock.advance(72 * HOUR)
    await say({ text: 'b', key: '8' })
    await log.tidy()
    t.strictSame(await database.knex('message_keys').pluck('key'), ['8'])
  })

  test(`${name}: old keys go a bounded number at a time`, async (t) => {
    const { sayAll, clock, log, database } = await book(t, { journal: { group: 10_000 } })
    const some = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({ text: '', key: `${from + at}` }))
    await sayAll(some(0, 5100))
    clock.advance(48 * HOUR)
    await sayAll(some(5100, 10))
    const keys = async () => (await database.knex('message_keys').pluck('key')).length
    t.equal(await log.tidy(), true)
    t.equal(await keys(), 110)
    t.equal(await log.tidy(), false)
    t.equal(await keys(), 10)
  })

  test(`${name}: in a group that failed and was tried one by one`, async (t) => {
    const { journal, sayAll, texts } = await book(t)
    const bad = journal.entry()
    bad.write(async () => {
      throw new Error('nobody elses fault')
    })
    const said = sayAll([
      { text: 'a', key: '7' },
      { text: 'a', key: '7' },
      { text: 'b', key: '8' },
    ])
    await t.rejects(journal.commit(bad), { message: 'nobody elses fault' })
    t.strictSame(
      (await said).map(({ duplicate }) => duplicate),
      [false, true, false],
    )
    t.strictSame(await texts(juliet), ['a', 'b'])
  })

  lostAnswers(name, book)
}

/** Answers to commits get lost, as long as it says so. */
function forgetful(flag: { lost: boolean }) {
  return (database: Database): Pick<Database, 'transaction' | 'write'> => ({
    transaction: (run) => database.transaction(run),
    async write(writes) {
      const answers = await database.write(writes)
      if (flag.lost) throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' })
      return answers
    },
  })
}

function lostAnswers(name: string, book: OpenBook): void {
  test(`${name}: the answer to the commit was lost: all of it is found again`, async (t) => {
    const flag = { lost: false }
    const { say, sayAll, texts, log } = await book(t, { through: forgetful(flag) })
    const first = await say({ text: 'a', key: '7' })
    const plain = await say({ text: 'c' })
    flag.lost = true
    const said = await sayAll([
      { text: 'a', key: '7' },
      { text: 'b', key: '8' },
      { text: 'c' },
      { text: 'c' },
    ])
    flag.lost = false
    t.strictSame(
      said.map(({ duplicate }) => duplicate),
      [true, false, false, false],
    )
    const ids = [first, plain, ...said.slice(1)].map(({ id }) => id)
    t.strictSame(
      (await log.page({ owner: juliet, limit: 10 })).messages.map(({ id }) => id),
      ids,
    )
    t.strictSame(await texts(juliet), ['a', 'c', 'b', 'c', 'c'])
    t.equal((await say({ text: 'b', key: '8' })).duplicate, true)
  })

  test(`${name}: nobody could tell what became of it: told as failed, kept all the same`, async (t) => {
    const flag = { lost: true }
    const away = (database: Database): Pick<Database, 'transaction' | 'write'> => ({
      ...forgetful(flag)(database),
      async transaction(run) {
        if (flag.lost) throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' })
        return database.transaction(run)
      },
    })
    const { say, texts, log } = await book(t, { through: away, journal: { patience: 0 } })
    await t.rejects(say({ text: 'a', key: '7' }), refused)
    flag.lost = false
    t.equal((await say({ text: 'a', key: '7' })).duplicate, true)
    await say({ text: 'b' })
    await log.indexed()
    t.strictSame(await texts(juliet), ['a', 'b'])
    t.strictSame(await texts(romeo), ['a', 'b'])
  })
}
