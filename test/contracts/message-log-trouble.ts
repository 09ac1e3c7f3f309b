// The contract of the journal with a message log: a database that is away or full refuses with an error
// that its sender may try again after, and takes what comes afterwards.

import { test } from 'tap'
import type { Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { Unsent } from '../../lib/storage/trouble.js'
import { juliet, type OpenBook, refused } from './message-book.js'
import { passing } from './passing.js'
import { AGAIN, NOTHING, told } from './told.js'

function away(flag: { away: boolean }) {
  return (database: Database): Pick<Database, 'transaction' | 'write'> => {
    const check = (): void => {
      if (flag.away) throw new Unsent(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
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
    const { log, lines } = told()
    const { say, texts } = await book(t, {
      through: away(flag),
      journal: { grace: 0, group: 10, log },
    })
    const attempts = Array.from({ length: 40 }, (_, at) => say({ text: `${at}` }))
    const results = await Promise.allSettled(attempts)
    for (const result of results)
      t.match(result, { status: 'rejected', reason: { condition: 'resource-constraint' } })
    t.strictSame(lines, [NOTHING], 'said once')
    flag.away = false
    await say({ text: 'back' })
    t.strictSame(lines, [NOTHING, AGAIN])
    t.strictSame(await texts(juliet), ['back'])
  })

  test(`${name}: the database is away for a moment: nobody hears of it`, async (t) => {
    const flag = { away: true }
    const { log, lines } = told()
    const { sayAll, texts } = await book(t, { through: away(flag), journal: { log } })
    const said = sayAll([{ text: 'a' }, { text: 'b' }])
    setTimeout(() => {
      flag.away = false
    }, 60)
    await said
    t.strictSame(lines, [NOTHING, AGAIN])
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

  unknownContract(name, book)
}

/** The commit takes place, its answer is lost; what it left can be looked up so often in vain. */
async function lostAnswer(t: Test, book: OpenBook, inVain: number, patience = 60_000) {
  let lost = true
  const opened = await book(t, {
    journal: { clock: passing(), patience },
    through: (database) => ({
      transaction: (run) => database.transaction(run),
      async write(writes) {
        const answers = await database.write(writes)
        if (!lost) return answers
        lost = false
        throw new Error('Connection terminated unexpectedly')
      },
    }),
  })
  const { recover } = opened.log
  let left = inVain
  opened.log.recover = async (messages) => {
    if (left-- > 0) throw new Error('Connection terminated unexpectedly')
    return recover.call(opened.log, messages)
  }
  return opened
}

const words = [{ text: 'a' }, { text: 'b', key: '7' }, { text: 'c', key: '8' }]

function unknownContract(name: string, book: OpenBook): void {
  test(`${name}: what a commit left is looked up until that succeeds`, async (t) => {
    const { sayAll, texts } = await lostAnswer(t, book, 3)
    const said = await sayAll(words)
    for (const { duplicate, id } of said) t.ok(!duplicate && id > 0)
    t.strictSame(await texts(juliet), ['a', 'b', 'c'])
  })

  test(`${name}: what nobody can look up is refused as a whole and never done again`, async (t) => {
    const { say, log, texts } = await lostAnswer(t, book, 1, 0)
    const results = await Promise.allSettled(words.map(say))
    for (const result of results) t.match(result, { status: 'rejected', reason: refused })
    await say({ text: 'd' })
    await log.indexed()
    t.strictSame(await texts(juliet), ['a', 'b', 'c', 'd'])
  })
}
