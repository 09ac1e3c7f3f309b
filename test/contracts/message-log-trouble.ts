// The contract of the journal with a message log: a database that is away or full refuses with an error
// that its sender may try again after, and takes what comes afterwards.

import { test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { juliet, type OpenBook } from './message-book.js'

function away(flag: { away: boolean }) {
  return (database: Database): Pick<Database, 'transaction' | 'write'> => {
    const check = (): void => {
      if (flag.away) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    }
    return {
      async transaction(run) {
        check()
        return database.transaction(run)
      },
      async write(writes) {
        check()
        return database.write(writes)
      },
    }
  }
}

export function troubleContract(name: string, book: OpenBook): void {
  test(`${name}: the database is away: all are refused soon, and it goes on afterwards`, async (t) => {
    const flag = { away: true }
    const { journal, say, texts } = await book(t, {
      through: away(flag),
      journal: { grace: 0, group: 10 },
    })
    const attempts = Array.from({ length: 40 }, (_, at) => say({ text: `${at}` }))
    const results = await Promise.allSettled(attempts)
    for (const result of results)
      t.match(result, { status: 'rejected', reason: { condition: 'resource-constraint' } })
    t.ok(journal.troubled)
    flag.away = false
    await say({ text: 'back' })
    t.notOk(journal.troubled)
    t.strictSame(await texts(juliet), ['back'])
  })

  test(`${name}: the database is away for a moment: nobody hears of it`, async (t) => {
    const flag = { away: true }
    const { sayAll, texts, journal } = await book(t, { through: away(flag) })
    const said = sayAll([{ text: 'a' }, { text: 'b' }])
    setTimeout(() => {
      flag.away = false
    }, 60)
    await said
    t.notOk(journal.troubled)
    t.strictSame(await texts(juliet), ['a', 'b'])
  })

  test(`${name}: rows of a message are there with it or not at all`, async (t) => {
    const { journal, database, say, texts } = await book(t)
    await database.knex.schema.createTable('notes', (table) => table.string('text').primary())
    const entry = journal.entry()
    entry.insert('notes', { text: 'a' })
    entry.insert('notes', { text: 'a' })
    const failing = journal.commit(entry)
    const [said] = await Promise.allSettled([say({ text: 'fine' }), failing])
    t.equal(said.status, 'fulfilled')
    await t.rejects(failing)
    t.strictSame(await texts(juliet), ['fine'])
    t.strictSame(await database.knex('notes'), [])
  })
}
