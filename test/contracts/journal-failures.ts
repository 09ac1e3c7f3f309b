// The contract of the journal where something fails: who failed alone is the only one refused, in few
// transactions, and nothing counts over it; what nobody can look up is refused and never done again; a
// database that does not answer is given up by the clock.

import { test } from 'tap'
import type { Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { Journal, type JournalEntry, type JournalOptions } from '../../lib/storage/journal.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Unsent } from '../../lib/storage/trouble.js'
import { counting, type Through } from './counting.js'
import { refused } from './message-book.js'
import { passing } from './passing.js'
import type { StoreKind } from './stores.js'
import { NOTHING, told } from './told.js'

interface Ledger {
  readonly database: Database
  readonly journal: Journal
  /** How often the journal asked the database for anything */
  asked(): number
  texts(): Promise<string[]>
  counts(): Promise<Record<string, number>>
}

type OpenLedger = (
  t: Test,
  options?: JournalOptions & { through?(database: Database): Through },
) => Promise<Ledger>

export function journalFailuresContract({ name, fresh }: StoreKind): void {
  const ledger: OpenLedger = async (t, { through, ...options } = {}) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [])
    await database.knex.schema.createTable('notes', (table) => {
      table.increments('place')
      table.string('text').unique()
    })
    await database.knex.schema.createTable('counts', (table) => {
      table.string('who').primary()
      table.bigInteger('count').notNullable()
    })
    const { asked, way } = counting(through?.(database) ?? database)
    return {
      database,
      journal: new Journal(way, options),
      asked,
      texts: () => database.knex('notes').orderBy('place').pluck('text'),
      async counts() {
        const rows: { who: string; count: number }[] = await database.knex('counts')
        return Object.fromEntries(rows.map(({ who, count }) => [who, count]))
      },
    }
  }
  aloneContract(name, ledger)
  countsContract(name, ledger)
  awayContract(name, ledger)
  markContract(name, ledger)
}

/** Writes its text in a change; those with a question mark throw afterwards. */
function changing(journal: Journal, text: string): JournalEntry {
  const entry = journal.entry()
  entry.write(async (trx) => {
    await trx('notes').insert({ text })
    if (text.endsWith('?')) throw new Error(text)
  })
  return entry
}

function inserting(journal: Journal, text: string): JournalEntry {
  const entry = journal.entry()
  entry.insert('notes', { text })
  return entry
}

async function outcomes(journal: Journal, entries: readonly JournalEntry[]): Promise<unknown[]> {
  const results = await Promise.allSettled(entries.map((entry) => journal.commit(entry)))
  return results.map((result) => (result.status === 'rejected' ? result.reason : undefined))
}

function aloneContract(name: string, ledger: OpenLedger): void {
  test(`${name}: those whose change throws are left out, all others go together`, async (t) => {
    const { journal, asked, texts } = await ledger(t)
    const words = Array.from({ length: 40 }, (_, at) => (at % 10 === 3 ? `${at}?` : `${at}`))
    const results = await outcomes(
      journal,
      words.map((text) => changing(journal, text)),
    )
    const fine = words.filter((text) => !text.endsWith('?'))
    t.strictSame(await texts(), fine)
    t.strictSame(
      results.map((error) => (error as Error | undefined)?.message),
      words.map((text) => (text.endsWith('?') ? text : undefined)),
    )
    t.equal(asked(), 2)
  })

  test(`${name}: entries beside one whose change throws keep their rows and their order`, async (t) => {
    const { journal, texts } = await ledger(t)
    const told: string[] = []
    const say = (entry: JournalEntry, text: string): Promise<unknown> =>
      journal.commit(entry).then(
        () => told.push(text),
        () => told.push(`not ${text}`),
      )
    const both = changing(journal, 'c?')
    both.insert('notes', { text: 'row of c' })
    await Promise.all([
      say(inserting(journal, 'a'), 'a'),
      say(changing(journal, 'b'), 'b'),
      say(both, 'c'),
      say(inserting(journal, 'd'), 'd'),
    ])
    t.strictSame(told, ['a', 'b', 'not c', 'd'])
    t.strictSame(await texts(), ['b', 'a', 'd'])
  })

  test(`${name}: where nobody can tell whose row it is, few transactions find out`, async (t) => {
    const { journal, asked, texts } = await ledger(t)
    const words = Array.from({ length: 64 }, (_, at) => (at === 41 ? '7' : `${at}`))
    const results = await outcomes(
      journal,
      words.map((text) => inserting(journal, text)),
    )
    t.equal(results.findIndex(Boolean), 41)
    t.equal(results.filter(Boolean).length, 1)
    t.strictSame(
      await texts(),
      words.filter((_, at) => at !== 41),
    )
    t.ok(asked() < 25, `${asked()} questions`)
  })
}

function countsContract(name: string, ledger: OpenLedger): void {
  function counted(entry: JournalEntry, who: string, count: number): JournalEntry {
    entry.count('counts', { who, count })
    return entry
  }

  for (const [how, make] of [
    ['change', changing],
    ['row', inserting],
  ] as const)
    test(`${name}: what fails by a ${how} is not counted by those after it in its group (XEP-0198 §4)`, async (t) => {
      const { journal, counts, texts } = await ledger(t)
      const bad = make === changing ? 'bad?' : 'first'
      const entries = [
        counted(make(journal, 'first'), 'romeo', 1),
        counted(make(journal, bad), 'romeo', 2),
        counted(make(journal, 'third'), 'romeo', 3),
        counted(make(journal, 'other'), 'juliet', 7),
        counted(make(journal, 'fifth'), 'romeo', 4),
      ]
      const results = await outcomes(journal, entries)
      t.equal(results.findIndex(Boolean), 1)
      t.equal(results.filter(Boolean).length, 1)
      t.strictSame(await counts(), { romeo: 1, juliet: 7 })
      t.strictSame(
        entries.map((entry) => entry.counted),
        [true, false, false, true, false],
      )
      t.strictSame(await texts(), ['first', 'third', 'other', 'fifth'])
      const later = counted(journal.entry(), 'romeo', 4)
      await journal.commit(later)
      t.ok(later.counted)
      t.strictSame(await counts(), { romeo: 4, juliet: 7 })
    })

  test(`${name}: rows that count nobody as done are there whoever failed before them`, async (t) => {
    const { journal, counts } = await ledger(t)
    const bad = changing(journal, 'bad?')
    const good = changing(journal, 'good')
    bad.put('counts', { who: 'romeo', count: 1 })
    good.put('counts', { who: 'romeo', count: 2 })
    await outcomes(journal, [bad, good])
    t.strictSame(await counts(), { romeo: 2 })
  })
}

function awayContract(name: string, ledger: OpenLedger): void {
  test(`${name}: a server that does not answer is given up by the clock, for the whole group`, async (t) => {
    const clock = passing()
    const { log, lines } = told()
    const silent = async (): Promise<never> => {
      clock.pass(10_000)
      throw new Unsent(new Error('timeout expired'))
    }
    const through = (): Through => ({ transaction: silent, write: silent })
    const { journal, asked } = await ledger(t, { through, clock, log })
    for (const make of [changing, inserting]) {
      const entries = ['a', 'b', 'c'].map((text) => make(journal, text))
      t.strictSame(await outcomes(journal, entries), [refused, refused, refused])
    }
    t.equal(asked(), 2, 'one attempt each: it took longer than anybody waits')
    t.equal(clock.now(), 20_000)
    t.strictSame(lines, [NOTHING])
  })

  test(`${name}: what became of a commit is asked for a minute by the clock, then all hear the same`, async (t) => {
    const clock = passing()
    const { log, lines } = told()
    const through = (database: Database): Through => ({
      async transaction() {
        clock.pass(25_000)
        throw new Unsent(new Error('timeout expired'))
      },
      async write(writes) {
        await database.write(writes)
        throw new Error('Connection terminated unexpectedly')
      },
    })
    const { journal, asked, texts } = await ledger(t, { through, clock, log })
    const entries = ['a', 'b', 'c'].map((text) => inserting(journal, text))
    t.strictSame(await outcomes(journal, entries), [refused, refused, refused])
    t.equal(asked(), 4, 'written once, looked up three times')
    t.strictSame(await texts(), ['a', 'b', 'c'], 'it was there after all, and once')
    t.strictSame(lines, [NOTHING])
  })

  test(`${name}: trouble that lasts is not tried in parts for ever`, async (t) => {
    const clock = passing()
    const through = (database: Database): Through => ({
      transaction: (run) => database.transaction(run),
      async write() {
        clock.pass(30_000)
        throw Object.assign(new Error('canceling statement'), { code: '57014' })
      },
    })
    const { journal, texts } = await ledger(t, { through, clock })
    const entries = Array.from({ length: 50 }, (_, at) => inserting(journal, `${at}`))
    for (const error of await outcomes(journal, entries)) t.same(error, refused)
    t.equal(clock.now(), 30_000)
    t.strictSame(await texts(), [])
  })

  test(`${name}: a journal that closes does not wait for a database that is away`, async (t) => {
    let close: Promise<void> | undefined
    const away = async (): Promise<never> => {
      close ??= journal.close()
      throw new Unsent(new Error('connect ECONNREFUSED'))
    }
    const through = (): Through => ({ transaction: away, write: away })
    const { journal, asked } = await ledger(t, { through })
    t.strictSame(await outcomes(journal, [inserting(journal, 'a')]), [refused])
    await close
    t.equal(asked(), 1)
  })

  test(`${name}: what waited for no database says nothing about it`, async (t) => {
    const { log, lines } = told()
    const away = async (): Promise<never> => {
      throw new Unsent(new Error('connect ECONNREFUSED'))
    }
    const through = (): Through => ({ transaction: away, write: away })
    const { journal } = await ledger(t, { through, grace: 0, log })
    t.strictSame(await outcomes(journal, [inserting(journal, 'a')]), [refused])
    await journal.settled()
    t.strictSame(lines, [NOTHING])
  })
}

function markContract(name: string, ledger: OpenLedger): void {
  test(`${name}: a transaction leaves its mark before all else: who doubts it waits for it`, async (t) => {
    const { journal } = await ledger(t)
    const seen: number[][] = []
    for (const _ of [1, 2]) {
      const entry = journal.entry()
      entry.write(async (trx) => void seen.push(await trx('commits').pluck('number')))
      await journal.commit(entry)
    }
    t.strictSame(seen, [[1], [2]])
  })

  test(`${name}: whoever settles waits for all that were committed before`, async (t) => {
    const { journal, texts } = await ledger(t, { group: 1 })
    for (const text of ['a', 'b', 'c']) void journal.commit(inserting(journal, text))
    await journal.settled()
    t.strictSame(await texts(), ['a', 'b', 'c'])
  })
}
