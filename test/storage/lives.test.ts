// A life that was fenced writes nothing more, on a real PostgreSQL.

import { test, type Test } from 'tap'
import { CommitMark } from '../../lib/storage/commit-mark.js'
import { Database } from '../../lib/storage/database.js'
import { fence, isFenced } from '../../lib/storage/lives.js'
import { migrate } from '../../lib/storage/migrations.js'
import { type Book, type BookOptions, bookOf, juliet, refused } from '../contracts/message-book.js'
import type { FreshStore } from '../contracts/stores.js'
import { freshPostgres } from '../world/postgres.js'

function named(url: string, life?: string): FreshStore {
  const options = { url, folder: '', durability: 'power' } as const
  return { open: () => Database.open({ ...options, ...(life !== undefined && { life }) }) }
}

const openBook = bookOf({ name: 'PostgreSQL', fresh: async () => named(await freshPostgres()) })

interface Two {
  readonly first: Book
  readonly second: Book
  /** What was heard of the first life, in order */
  readonly heard: string[]
}

/** Two nodes of one database: the second one fences the first. */
async function two(t: Test, through?: BookOptions['through']): Promise<Two> {
  const url = await freshPostgres()
  const database = await named(url).open()
  await migrate(database, [])
  await database.knex.schema.createTable('notes', (table) => void table.text('text'))
  await database.close()
  const heard: string[] = []
  const journal = { life: 'first', patience: 0, fenced: () => void heard.push('fenced') }
  const first = await openBook(t, {
    store: named(url, 'first'),
    journal,
    ...(through && { through }),
  })
  const second = await openBook(t, {
    store: named(url, 'second'),
    journal: { life: 'second' },
  })
  return { first, second, heard }
}

function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** Until somebody waits for a lock that another transaction has. */
async function blocked({ knex }: Database): Promise<void> {
  const waiting =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await knex.raw(waiting)).length === 0) await new Promise(setImmediate)
}

const notes = ({ database }: Book): Promise<string[]> => database.knex('notes').pluck('text')

for (const earlier of [0, 1])
  test(`after ${earlier} commits: who fences waits for a transaction under way, then nothing is written`, async (t) => {
    const { first, second, heard } = await two(t)
    if (earlier > 0) await first.say({ text: 'before' })
    const [begun, end] = [gate(), gate()]
    const entry = first.journal.entry()
    entry.write(async (trx) => {
      await trx('notes').insert({ text: 'under way' })
      begun.open()
      await end.opened
    })
    const commit = first.journal.commit(entry)
    await begun.opened
    let over = false
    const fenced = fence(second.database, 'first').then(() => {
      over = true
    })
    await blocked(second.database)
    t.equal(over, false)
    end.open()
    await Promise.all([commit, fenced])
    t.strictSame(await notes(second), ['under way'])
    await t.rejects(first.say({ text: 'too late' }), refused)
    t.strictSame(await second.texts(juliet), earlier > 0 ? ['before'] : [])
    t.strictSame(heard, ['fenced'])
    await second.say({ text: 'of the other' })
    t.strictSame((await second.texts(juliet)).at(-1), 'of the other')
  })

for (const earlier of [0, 1])
  test(`after ${earlier} commits: a transaction that stands still is ended with its connection`, async (t) => {
    const { first, second, heard } = await two(t)
    if (earlier > 0) await first.say({ text: 'before' })
    const [begun, end] = [gate(), gate()]
    const entry = first.journal.entry()
    entry.write(async (trx) => {
      await trx('notes').insert({ text: 'never' })
      begun.open()
      await end.opened
    })
    const commit = first.journal.commit(entry)
    await begun.opened
    await fence(second.database, 'first', 20)
    end.open()
    await t.rejects(commit, refused)
    t.strictSame(await notes(second), [])
    t.strictSame(heard, ['fenced'])
    t.equal((await second.texts(juliet)).length, earlier)
  })

test('a life that wrote nothing yet is fenced as well, and twice is as once', async (t) => {
  let lookedUp = 0
  const { first, second } = await two(t, (database) => ({
    write: (writes) => database.write(writes),
    transaction: (run) => {
      lookedUp++
      return database.transaction(run)
    },
  }))
  t.equal(await isFenced(second.database, 'first'), false)
  await fence(second.database, 'first')
  await fence(second.database, 'first')
  t.equal(await isFenced(second.database, 'first'), true)
  t.equal(await isFenced(second.database, 'second'), false)
  await t.rejects(first.say({ text: 'never' }), refused)
  t.strictSame(await second.texts(juliet), [])
  t.equal(lookedUp, 0)
})

test('everybody in the journal of a life that is over is refused, after it was told', async (t) => {
  const { first, second, heard } = await two(t)
  await first.say({ text: 'before' })
  await fence(second.database, 'first')
  const sayings = Array.from({ length: 20 }, (_, i) => first.say({ text: `m${i}` }))
  const changing = first.journal.entry()
  changing.write((trx) => trx('notes').insert({ text: 'a' }).then())
  sayings.push(first.journal.commit(changing) as never)
  const later = new Promise(setImmediate).then(() => first.say({ text: 'later' }))
  for (const saying of [...sayings, later]) saying.catch(() => void heard.push('refused'))
  const results = await Promise.allSettled([...sayings, later])
  t.ok(results.every(({ status }) => status === 'rejected'))
  t.strictSame(heard, ['fenced', ...results.map(() => 'refused')])
  t.strictSame(await second.texts(juliet), ['before'])
  t.strictSame(await notes(second), [])
  await first.journal.idle()
  await first.journal.close()
})

const lossy =
  (meanwhile: () => Promise<void>): NonNullable<BookOptions['through']> =>
  (database) => {
    let lost = false
    return {
      transaction: (run) => database.transaction(run),
      write: async (writes) => {
        const answers = await database.write(writes)
        if (lost) return answers
        lost = true
        await meanwhile()
        throw new Error('connection lost')
      },
    }
  }

test('a commit whose answer was lost, and whose life was fenced then, is known to be there', async (t) => {
  let other: Database | undefined
  const { first, second, heard } = await two(
    t,
    lossy(() => fence(other!, 'first')),
  )
  other = second.database
  const message = await first.say({ text: 'there' })
  const page = await second.log.page({ owner: juliet, limit: 9 })
  t.strictSame(
    page.messages.map(({ id, text }) => [id, text]),
    [[message.id, 'there']],
  )
  await t.rejects(first.say({ text: 'too late' }), { message: /^resource-constraint/ })
  t.strictSame(heard, ['fenced'])
})

test('a commit that did not take place before its life was fenced never does', async (t) => {
  let other: Database | undefined
  const { first, second, heard } = await two(t, (database) => ({
    transaction: (run) => database.transaction(run),
    write: async (writes) => {
      if (await isFenced(other!, 'first')) return database.write(writes)
      await fence(other!, 'first')
      throw new Error('connection lost')
    },
  }))
  other = second.database
  await t.rejects(first.say({ text: 'never' }), refused)
  await t.rejects(first.say({ text: 'nor this' }), { message: /^resource-constraint/ })
  t.strictSame(await second.texts(juliet), [])
  t.strictSame(heard, ['fenced'])
})

test('a row of a life that is over is forgotten after a year, of others after a week', async (t) => {
  const { second } = await two(t)
  const { knex } = second.database
  const day = 86_400_000
  const ages = { week: 8, year: 366, fresh: 1 }
  for (const [name, days] of Object.entries(ages))
    for (const alive of [0, 1]) {
      const at = Date.now() - days * day
      await knex('commits').insert({ journal: `${name} ${alive}`, number: 1, at, alive })
    }
  await second.database.write([...new CommitMark('anew').writes(1)])
  await second.database.write([...new CommitMark('once more').writes(1)])
  const left: string[] = await knex('commits').orderBy('journal').pluck('journal')
  t.strictSame(left, ['anew', 'fresh 0', 'fresh 1', 'once more', 'week 0'])
})
