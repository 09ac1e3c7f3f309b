// The contract of migrations: every step once, in order, whoever starts beside us.

import { test } from 'tap'
import { migrate, unknownSteps } from '../../lib/storage/migrations.js'
import type { Migration, MigrationSet } from '../../lib/storage/migrations.js'
import type { StoreKind } from './stores.js'

const create: Migration = {
  name: 'create',
  up: (schema) => schema.createTable('notes', (table) => table.string('text').primary()),
}

function note(text: string): Migration {
  return { name: `note ${text}`, up: (_, trx) => trx('notes').insert({ text }) }
}

const sets: MigrationSet[] = [
  { owner: 'notes', migrations: [create, note('one')] },
  { owner: 'more', migrations: [note('two')] },
]
const own = [
  'journal: commits',
  'journal: lives that are over',
  'journal: numbers that come too late',
]
const all = ['notes: create', 'notes: note one', 'more: note two']

export function migrationsContract({ name, fresh }: StoreKind): void {
  test(`${name}: steps run once, in order, and new ones later`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    t.strictSame(await migrate(database, sets), [...own, ...all])
    t.strictSame(await migrate(database, sets), [])
    const grown = [...sets, { owner: 'notes', migrations: [create, note('one'), note('three')] }]
    t.strictSame(await migrate(database, grown), ['notes: note three'])
    t.strictSame((await database.knex('notes').pluck('text')).sort(), ['one', 'three', 'two'])
  })

  test(`${name}: nodes that start together run each step once`, async (t) => {
    const store = await fresh()
    const nodes = await Promise.all([store.open(), store.open(), store.open()])
    t.teardown(() => Promise.all(nodes.map((node) => node.close())))
    const applied = await Promise.all(nodes.map((node) => migrate(node, sets)))
    t.strictSame(applied.flat().sort(), [...own, ...all].sort())
    t.strictSame((await nodes[0]!.knex('notes').pluck('text')).sort(), ['one', 'two'])
  })

  test(`${name}: a step that fails leaves nothing and can run again`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    const failing: Migration = {
      name: 'create',
      async up(schema) {
        await create.up(schema, undefined as never)
        throw new Error('no room')
      },
    }
    await t.rejects(migrate(database, [{ owner: 'notes', migrations: [failing] }]), {
      message: 'no room',
    })
    t.strictSame(await migrate(database, sets), all)
  })

  test(`${name}: a module is new all at once; each later step of it stands for itself`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    const broken: Migration = { name: 'broken', up: () => Promise.reject(new Error('broken')) }
    const withBroken = [{ owner: 'notes', migrations: [create, note('one'), broken] }]
    await t.rejects(migrate(database, withBroken), { message: 'broken' })
    t.strictSame(await unknownSteps(database, []), [])
    t.notOk(await database.knex.schema.hasTable('notes'))
    t.strictSame(await migrate(database, sets.slice(0, 1)), ['notes: create', 'notes: note one'])
    const grown = [{ owner: 'notes', migrations: [create, note('one'), note('three'), broken] }]
    await t.rejects(migrate(database, grown), { message: 'broken' })
    t.strictSame((await database.knex('notes').pluck('text')).sort(), ['one', 'three'])
    t.strictSame(await migrate(database, sets), ['more: note two'])
    t.strictSame(await unknownSteps(database, sets), ['notes: note three'])
  })

  test(`${name}: steps that this version does not know are named and left alone`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, sets)
    t.strictSame(await unknownSteps(database, sets), [])
    t.strictSame(await migrate(database, sets.slice(0, 1)), [])
    t.strictSame(await unknownSteps(database, sets.slice(0, 1)), ['more: note two'])
  })
}
