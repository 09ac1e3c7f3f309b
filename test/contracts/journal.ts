// The contract of the journal: what is acknowledged is on disk, in order, in few transactions; what
// fails fails alone.

import { test } from 'tap'
import type { Test } from 'tap'
import { isUniqueViolation } from '../../lib/storage/database.js'
import type { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import type { JournalEntry, JournalOptions } from '../../lib/storage/journal.js'
import { migrate } from '../../lib/storage/migrations.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { counting } from './counting.js'
import type { StoreKind } from './stores.js'

interface Notebook {
  readonly database: Database
  readonly journal: Journal
  /** How many transactions the journal began */
  transactions(): number
  note(text: string): JournalEntry
  texts(): Promise<string[]>
}

export function journalContract({ name, fresh }: StoreKind): void {
  async function notebook(t: Test, options?: JournalOptions): Promise<Notebook> {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [])
    await database.knex.schema.createTable('notes', (table) => {
      table.increments('place')
      table.string('text').unique()
    })
    return open(database, options)
  }

  groupsContract(name, notebook)
  failuresContract(name, notebook)
  boundsContract(name, notebook)
  rowsContract(name, notebook)
  doubtContract(name, notebook)
}

type OpenNotebook = (t: Test, options?: JournalOptions) => Promise<Notebook>

function open(database: Database, options?: JournalOptions): Notebook {
  const { way, asked } = counting(database)
  const journal = new Journal(way, options)
  return {
    database,
    journal,
    transactions: asked,
    note(text) {
      const entry = journal.entry()
      entry.write(async (trx) => {
        await trx('notes').insert({ text })
      })
      return entry
    },
    texts: () => database.reader('notes').orderBy('place').pluck('text'),
  }
}

function groupsContract(name: string, notebook: OpenNotebook): void {
  test(`${name}: a commit that resolved is there for everybody`, async (t) => {
    const { journal, note, texts } = await notebook(t)
    await journal.commit(note('a'))
    t.strictSame(await texts(), ['a'])
  })

  test(`${name}: what arrives during a commit forms the next group, in order`, async (t) => {
    const { journal, note, texts, transactions } = await notebook(t)
    const wanted = Array.from({ length: 200 }, (_, at) => `note ${at}`)
    const resolved: string[] = []
    const commit = (text: string) => journal.commit(note(text)).then(() => resolved.push(text))
    const first = wanted.slice(0, 3).map(commit)
    await Promise.race(first)
    await Promise.all([...first, ...wanted.slice(3).map(commit)])
    t.strictSame(await texts(), wanted)
    t.strictSame(resolved, wanted)
    t.equal(transactions(), 2)
  })

  test(`${name}: a group has a largest size`, async (t) => {
    const { journal, note, texts, transactions } = await notebook(t, { group: 10 })
    await Promise.all(Array.from({ length: 25 }, (_, at) => journal.commit(note(String(at)))))
    t.equal(transactions(), 3)
    t.equal((await texts()).length, 25)
  })

  test(`${name}: an entry with nothing in it costs nothing`, async (t) => {
    const { journal, transactions } = await notebook(t)
    const entry = journal.entry()
    t.ok(entry.empty)
    await journal.commit(entry)
    t.equal(transactions(), 0)
  })
}

function failuresContract(name: string, notebook: OpenNotebook): void {
  test(`${name}: the entry that fails alone is the only one refused`, async (t) => {
    const { journal, note, texts } = await notebook(t)
    const entries = ['a', 'b', 'a', 'c'].map(note)
    const results = await Promise.allSettled(entries.map((entry) => journal.commit(entry)))
    t.strictSame(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    t.ok(isUniqueViolation((results[2] as PromiseRejectedResult).reason))
    t.strictSame(await texts(), ['a', 'b', 'c'])
    await journal.commit(note('d'))
    t.strictSame(await texts(), ['a', 'b', 'c', 'd'])
  })

  test(`${name}: an entry is on disk as a whole or not at all`, async (t) => {
    const { journal, note, texts } = await notebook(t)
    const entry = note('first half')
    entry.write(async () => {
      throw new Error('second half')
    })
    await t.rejects(journal.commit(entry), { message: 'second half' })
    t.strictSame(await texts(), [])
  })
}

function boundsContract(name: string, notebook: OpenNotebook): void {
  test(`${name}: a full journal refuses with resource-constraint`, async (t) => {
    const { journal, note, texts } = await notebook(t, { most: 5 })
    const commits = ['a', 'b', 'c', 'd', 'e'].map((text) => journal.commit(note(text)))
    await t.rejects(journal.commit(note('f')), new StanzaError('resource-constraint'))
    await Promise.all(commits)
    await journal.commit(note('g'))
    t.strictSame(await texts(), ['a', 'b', 'c', 'd', 'e', 'g'])
  })

  test(`${name}: idle waits for what was committed`, async (t) => {
    const { journal, note, texts } = await notebook(t, { group: 1 })
    for (const text of ['a', 'b', 'c']) void journal.commit(note(text))
    await journal.idle()
    t.strictSame(await texts(), ['a', 'b', 'c'])
  })

  test(`${name}: closing finishes what was committed and refuses the rest`, async (t) => {
    const { journal, note, texts, database } = await notebook(t, { group: 2 })
    const commits = ['a', 'b', 'c', 'd', 'e'].map((text) => journal.commit(note(text)))
    const closing = journal.close()
    await t.rejects(journal.commit(note('f')), new StanzaError('resource-constraint'))
    await closing
    await Promise.all(commits)
    t.strictSame(await texts(), ['a', 'b', 'c', 'd', 'e'])
    await database.close()
  })
}

function rowsContract(name: string, notebook: OpenNotebook): void {
  test(`${name}: rows of a group go in together, after its changes, in order`, async (t) => {
    const { journal, note, texts, database, transactions } = await notebook(t)
    await database.knex.schema.createTable('sizes', (table) => {
      table.bigInteger('size')
      table.boolean('big').defaultTo(false)
      table.binary('bytes')
    })
    const entries = ['a', 'b', 'c'].map((text) => {
      const entry = note(text)
      entry.insert('notes', { text: `row ${text}` })
      entry.insert('sizes', { size: 2n ** 60n, big: true, bytes: Buffer.from(text) })
      return entry
    })
    entries[1]!.insert('sizes', { size: 7 })
    await Promise.all(entries.map((entry) => journal.commit(entry)))
    t.equal(transactions(), 1)
    t.strictSame(await texts(), ['a', 'b', 'c', 'row a', 'row b', 'row c'])
    const sizes = await database.knex('sizes').orderBy('bytes').whereNotNull('bytes')
    t.strictSame(
      sizes,
      ['a', 'b', 'c'].map((text) => ({ size: 2n ** 60n, big: true, bytes: Buffer.from(text) })),
    )
    t.strictSame(await database.knex('sizes').whereNull('bytes'), [
      { size: 7, big: false, bytes: null },
    ])
  })

  test(`${name}: a row that fails takes only its own entry along`, async (t) => {
    const { journal, texts } = await notebook(t)
    const commits = ['a', 'b', 'a'].map((text) => {
      const entry = journal.entry()
      entry.insert('notes', { text: `${text} before` })
      entry.insert('notes', { text })
      return journal.commit(entry)
    })
    const results = await Promise.allSettled(commits)
    t.strictSame(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    )
    t.strictSame(await texts(), ['a before', 'a', 'b before', 'b'])
  })

  test(`${name}: rows may have columns that a table gained later`, async (t) => {
    const { journal, note, database } = await notebook(t)
    const first = journal.entry()
    first.insert('notes', { text: 'a' })
    await journal.commit(first)
    await database.knex.schema.alterTable('notes', (table) => table.bigInteger('weight'))
    const second = note('b')
    second.insert('notes', { text: 'c', weight: 3 })
    await journal.commit(second)
    t.strictSame(await database.knex('notes').where({ weight: 3 }).pluck('text'), ['c'])
  })
}

function doubtContract(name: string, notebook: OpenNotebook): void {
  async function doubtful(t: Test, transaction: (database: Database) => Database['transaction']) {
    const book = await notebook(t)
    const lossy = {
      transaction: transaction(book.database),
      write: book.database.write.bind(book.database),
    }
    return { ...book, journal: new Journal(lossy, { patience: 0 }) }
  }

  test(`${name}: a commit whose answer was lost counts as what it was: done`, async (t) => {
    const { journal, note, texts } = await doubtful(t, (database) => {
      let lost = false
      return async (run) => {
        const result = await database.transaction(run)
        if (lost) return result
        lost = true
        throw new Error('connection lost')
      }
    })
    await Promise.all([journal.commit(note('a')), journal.commit(note('b'))])
    t.strictSame(await texts(), ['a', 'b'])
  })

  test(`${name}: a commit that never took place is tried again entry by entry`, async (t) => {
    const { journal, note, texts } = await doubtful(t, (database) => {
      let lost = false
      return (run) =>
        database.transaction(async (trx) => {
          const result = await run(trx)
          if (lost) return result
          lost = true
          throw new Error('connection lost')
        })
    })
    await Promise.all([journal.commit(note('a')), journal.commit(note('b'))])
    t.strictSame(await texts(), ['a', 'b'])
  })

  test(`${name}: a commit that nobody can look up is refused`, async (t) => {
    const { journal, note } = await doubtful(t, (database) => {
      return async (run) => {
        await database.transaction(run)
        throw new Error('connection lost')
      }
    })
    await t.rejects(
      journal.commit(note('a')),
      new StanzaError('resource-constraint', 'it could not be stored'),
    )
  })
}
