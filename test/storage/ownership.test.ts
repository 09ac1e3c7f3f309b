// Who owns what, in either database: one life at a time, in tenures that count up.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import { fence, isFenced } from '../../lib/storage/lives.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Ownership } from '../../lib/storage/ownership.js'
import { refused } from '../contracts/message-book.js'
import { ManualClock } from '../world/clock.js'
import { freshPostgres } from '../world/postgres.js'

interface Book {
  readonly database: Database
  readonly ownership: Ownership
}

interface Scene {
  readonly clock: ManualClock
  open(node: string): Promise<Book>
}

const DAY = 86_400_000

const kinds: Record<string, (t: Test) => Promise<{ url: string; folder: string }>> = {
  SQLite: async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tercet-owned-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    return { url: 'sqlite', folder }
  },
  PostgreSQL: async () => ({ url: await freshPostgres(), folder: '' }),
}

for (const [name, place] of Object.entries(kinds)) {
  const scene = async (t: Test): Promise<Scene> => {
    const options = { ...(await place(t)), durability: 'crash' } as const
    const clock = new ManualClock()
    const databases: Database[] = []
    t.teardown(() => Promise.all(databases.map((database) => database.close())))
    return {
      clock,
      async open(node) {
        const life = `of ${node}`
        const database = await Database.open({ ...options, life })
        databases.push(database)
        await migrate(database, [])
        const journal = new Journal(database, { life, patience: 0 })
        const ownership = new Ownership({ database, journal, clock, self: { node, life } })
        return { database, ownership }
      },
    }
  }
  const owner = (node: string) => ({ owner: { node, life: `of ${node}` } })

  test(`${name}: the first one owns a key until it lets go`, async (t) => {
    const { open } = await scene(t)
    const [a, b] = [await open('a'), await open('b')]
    t.same(await a.ownership.claim('rooms', 'hall'), { epoch: 1 })
    t.same(await a.ownership.claim('rooms', 'hall'), { epoch: 1 })
    t.same(await b.ownership.claim('rooms', 'hall'), owner('a'))
    t.same(await b.ownership.claim('rooms', 'garden'), { epoch: 1 })
    t.same(await b.ownership.claim('links', 'hall'), { epoch: 1 })
    await b.ownership.release('rooms', 'hall')
    t.same(await b.ownership.claim('rooms', 'hall'), owner('a'))
    await a.ownership.release('rooms', 'hall')
    t.same(await b.ownership.claim('rooms', 'hall'), { epoch: 2 })
    t.same(await a.ownership.claim('rooms', 'hall'), owner('b'))
  })

  test(`${name}: of a life that is fenced others may claim what it owns`, async (t) => {
    const { open } = await scene(t)
    const [a, b] = [await open('a'), await open('b')]
    await a.ownership.claim('rooms', 'hall')
    await fence(b.database, 'of a')
    t.same(await b.ownership.claim('rooms', 'hall'), { epoch: 2 })
  })

  test(`${name}: what nobody has owned for a week is forgotten`, async (t) => {
    const { open, clock } = await scene(t)
    const [a, b] = [await open('a'), await open('b')]
    await b.ownership.tidy()
    for (const key of ['owned', 'let go']) await a.ownership.claim('rooms', key)
    await b.ownership.claim('rooms', 'of a dead one')
    await a.ownership.release('rooms', 'let go')
    await fence(a.database, 'of b')
    await a.ownership.tidy()
    const keys = (): Promise<string[]> => a.database.knex('owned').orderBy('key').pluck('key')
    t.strictSame(await keys(), ['let go', 'of a dead one', 'owned'])
    clock.advance(7 * DAY + 1)
    await a.ownership.tidy()
    t.strictSame(await keys(), ['owned'])
  })

  test(`${name}: what a life owned that the database has forgotten is forgotten, too`, async (t) => {
    const { open, clock } = await scene(t)
    const [a, b] = [await open('a'), await open('b')]
    await a.ownership.claim('rooms', 'hall')
    await b.ownership.claim('rooms', 'garden')
    await a.database.knex('commits').delete()
    clock.advance(7 * DAY + 1)
    await a.ownership.tidy()
    t.strictSame(await a.database.knex('owned').pluck('key'), ['hall'], 'its own it keeps')
    t.ok(await isFenced(a.database, 'of b'), 'where it is there all the same, it is over')
    t.same(await a.ownership.claim('rooms', 'garden'), { epoch: 1 })
  })
}

test('PostgreSQL: a life that is over claims nothing and lets nothing go', async (t) => {
  const url = await freshPostgres()
  const clock = new ManualClock()
  const database = await Database.open({ url, folder: '', durability: 'crash' })
  t.teardown(() => database.close())
  await migrate(database, [])
  const self = { node: 'a', life: 'of a' }
  const open = () =>
    new Ownership({ database, journal: new Journal(database, { life: self.life }), clock, self })
  await open().claim('rooms', 'hall')
  await fence(database, self.life)
  await t.rejects(open().claim('rooms', 'garden'), refused)
  await t.rejects(open().release('rooms', 'hall'), refused)
  t.strictSame(await database.knex('owned').select('key', 'life'), [{ key: 'hall', life: 'of a' }])
})
