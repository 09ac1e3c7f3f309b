// The contract of the journal: what is acknowledged is on disk, in order, in few transactions; what
// fails fails alone.

import { test } from 'tap'
import type { Test } from 'tap'
import { isUniqueViolation } from '../../lib/storage/database.js'
import type { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import type { JournalEntry, JournalOptions } from '../../lib/storage/journal.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
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
    await database.knex.schema.createTable('notes', (table) => {
      table.increments('place')
      table.string('text').unique()
    })
    return open(database, options)
  }

  groupsContract(name, notebook)
  failuresContract(name, notebook)
  boundsContract(name, notebook)
}

type OpenNotebook = (t: Test, options?: JournalOptions) => Promise<Notebook>

function open(database: Database, options?: JournalOptions): Notebook {
  let transactions = 0
  const counted: Pick<Database, 'transaction'> = {
    transaction(run) {
      transactions++
      return database.transaction(run)
    },
  }
  const journal = new Journal(counted, options)
  return {
    database,
    journal,
    transactions: () => transactions,
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
    t.same(await texts(), ['a'])
  })

  test(`${name}: what arrives during a commit forms the next group, in order`, async (t) => {
    const { journal, note, texts, transactions } = await notebook(t)
    const wanted = Array.from({ length: 200 }, (_, at) => `note ${at}`)
    const resolved: string[] = []
    const commit = (text: string) => journal.commit(note(text)).then(() => resolved.push(text))
    const first = wanted.slice(0, 3).map(commit)
    await Promise.race(first)
    await Promise.all([...first, ...wanted.slice(3).map(commit)])
    t.same(await texts(), wanted)
    t.same(resolved, wanted)
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
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    t.ok(isUniqueViolation((results[2] as PromiseRejectedResult).reason))
    t.same(await texts(), ['a', 'b', 'c'])
    await journal.commit(note('d'))
    t.same(await texts(), ['a', 'b', 'c', 'd'])
  })

  test(`${name}: an entry is on disk as a whole or not at all`, async (t) => {
    const { journal, note, texts } = await notebook(t)
    const entry = note('first half')
    entry.write(async () => {
      throw new Error('second half')
    })
    await t.rejects(journal.commit(entry), { message: 'second half' })
    t.same(await texts(), [])
  })
}

function boundsContract(name: string, notebook: OpenNotebook): void {
  test(`${name}: a full journal refuses with resource-constraint`, async (t) => {
    const { journal, note, texts } = await notebook(t, { most: 5 })
    const commits = ['a', 'b', 'c', 'd', 'e'].map((text) => journal.commit(note(text)))
    await t.rejects(journal.commit(note('f')), new StanzaError('resource-constraint'))
    await Promise.all(commits)
    await journal.commit(note('g'))
    t.same(await texts(), ['a', 'b', 'c', 'd', 'e', 'g'])
  })

  test(`${name}: idle waits for what was committed`, async (t) => {
    const { journal, note, texts } = await notebook(t, { group: 1 })
    for (const text of ['a', 'b', 'c']) void journal.commit(note(text))
    await journal.idle()
    t.same(await texts(), ['a', 'b', 'c'])
  })

  test(`${name}: closing finishes what was committed and refuses the rest`, async (t) => {
    const { journal, note, texts, database } = await notebook(t, { group: 2 })
    const commits = ['a', 'b', 'c', 'd', 'e'].map((text) => journal.commit(note(text)))
    const closing = journal.close()
    await t.rejects(journal.commit(note('f')), new StanzaError('resource-constraint'))
    await closing
    await Promise.all(commits)
    t.same(await texts(), ['a', 'b', 'c', 'd', 'e'])
    await database.close()
  })
}
