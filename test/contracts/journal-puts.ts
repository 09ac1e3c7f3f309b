// The contract of rows that take each other's place: those of an entry are on disk with it, those that
// ride along a little later; whichever order they are written in, a row only moves forward.

import { test } from 'tap'
import type { Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { Journal, type JournalOptions } from '../../lib/storage/journal.js'
import { LoggedMessage } from '../../lib/storage/logged-message.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { StoreKind } from './stores.js'
import { told } from './told.js'

interface Shelf {
  readonly database: Database
  readonly journal: Journal
  put(...rows: readonly (readonly [string, number])[]): Promise<void>
  places(): Promise<Record<string, number>>
}

export function putsContract({ name, fresh }: StoreKind): void {
  async function shelf(t: Test, options?: JournalOptions): Promise<Shelf> {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [])
    await database.knex.schema.createTable('shelf', (table) => {
      table.string('book').primary()
      table.bigInteger('page').notNullable()
      table.string('note')
    })
    const journal = new Journal(database, options)
    return {
      database,
      journal,
      put(...rows) {
        const entry = journal.entry()
        for (const [book, page] of rows) entry.put('shelf', { book, page })
        return journal.commit(entry)
      },
      async places() {
        const rows: { book: string; page: number }[] = await database.knex('shelf').orderBy('book')
        return Object.fromEntries(rows.map(({ book, page }) => [book, page]))
      },
    }
  }

  placesContract(name, shelf)
  ridingContract(name, shelf)
  pressureContract(name, shelf)
}

type OpenShelf = (t: Test, options?: JournalOptions) => Promise<Shelf>

function placesContract(name: string, shelf: OpenShelf): void {
  test(`${name}: a row takes the place of an older one, never of a newer one`, async (t) => {
    const { put, places, database, journal } = await shelf(t)
    await put(['a', 5], ['b', 1])
    await put(['a', 7])
    await put(['a', 6], ['b', 2])
    t.strictSame(await places(), { a: 7, b: 2 })
    const entry = journal.entry()
    entry.put('shelf', { book: 'a', page: 7, note: 'the same place, said later' })
    await journal.commit(entry)
    t.strictSame(await database.knex('shelf').where({ book: 'a' }).pluck('note'), [
      'the same place, said later',
    ])
  })

  test(`${name}: of several rows of one key in a group the one that is furthest on counts`, async (t) => {
    const { put, places } = await shelf(t)
    await Promise.all([put(['a', 1], ['a', 3]), put(['a', 2]), put(['b', 9]), put(['b', 8])])
    t.strictSame(await places(), { a: 3, b: 9 })
  })
}

function ridingContract(name: string, shelf: OpenShelf): void {
  test(`${name}: what rides along is written when somebody hurries, and when the journal closes`, async (t) => {
    const { journal, places, put } = await shelf(t)
    journal.ride('shelf', { book: 'a', page: 1 })
    journal.ride('shelf', { book: 'a', page: 2 })
    journal.ride('shelf', { book: 'b', page: 1 })
    journal.hurry()
    await journal.idle()
    t.strictSame(await places(), { a: 2, b: 1 })
    journal.ride('shelf', { book: 'a', page: 4 })
    await put(['a', 9])
    await journal.close()
    t.strictSame(await places(), { a: 9, b: 1 }, 'late, and no further')
    journal.ride('shelf', { book: 'c', page: 1 })
    journal.hurry()
    await journal.idle()
    t.strictSame(await places(), { a: 9, b: 1 }, 'closed')
  })

  test(`${name}: what rides along has a bound (LIM-riding)`, async (t) => {
    const { journal, places } = await shelf(t)
    for (let at = 0; at <= 20_000; at++) journal.ride('shelf', { book: `${at}`, page: 1 })
    await journal.idle()
    t.equal(Object.keys(await places()).length, 20_001)
  })

  test(`${name}: what rides along and cannot be written harms nobody`, async (t) => {
    const { log, lines } = told()
    const { journal, places, put } = await shelf(t, { log })
    journal.ride('shelf', { book: 'a', page: null })
    journal.hurry()
    await Promise.all([put(['b', 1]), put(['c', 1])])
    t.strictSame(await places(), { b: 1, c: 1 })
    t.strictSame(lines, [])
  })
}

function pressureContract(name: string, shelf: OpenShelf): void {
  test(`${name}: a journal that falls behind says so before it refuses (LIM-journal)`, async (t) => {
    const { journal, put } = await shelf(t, { most: 100, group: 10 })
    t.notOk(journal.pressed)
    const puts = Array.from({ length: 11 }, (_, at) => put([`${at}`, 1]))
    t.ok(journal.pressed)
    await Promise.all(puts)
    t.notOk(journal.pressed)
  })

  test(`${name}: large messages count by their length (LIM-journal)`, async (t) => {
    const { journal } = await shelf(t, { mostText: 10_000 })
    const large = (length: number): Promise<void> => {
      const entry = journal.entry()
      const [from, to] = [Jid.parse('romeo@montague.lit'), Jid.parse('juliet@capulet.lit')]
      const text = 'x'.repeat(length)
      entry.message = new LoggedMessage({ from, to, text, label: 0, key: '', author: 1 })
      return journal.commit(entry)
    }
    const commits = [large(2000), large(9000), large(1)]
    t.ok(journal.pressed)
    const results = await Promise.allSettled(commits)
    t.match(results[2], { status: 'rejected', reason: { condition: 'resource-constraint' } })
    t.notOk(journal.pressed)
  })
}
