// The contract of Database: the same values in and out, and transactions that mean it.

import { test } from 'tap'
import type { Test } from 'tap'
import type { Knex } from 'knex'
import { isUniqueViolation } from '../../lib/storage/database.js'
import type { Database } from '../../lib/storage/database.js'
import type { StoreKind } from './stores.js'

function things(schema: Knex.SchemaBuilder): PromiseLike<unknown> {
  return schema.createTable('things', (table) => {
    table.string('key').primary()
    table.bigInteger('whole')
    table.integer('small')
    table.double('real')
    table.boolean('flag')
    table.binary('bytes')
    table.text('words')
  })
}

export function databaseContract({ name, fresh }: StoreKind): void {
  async function withThings(t: Test): Promise<Database> {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await things(database.knex.schema)
    return database
  }

  valuesContract(name, withThings)
  transactionsContract(name, withThings)
  closingContract(name, withThings)
}

type WithThings = (t: Test) => Promise<Database>

function valuesContract(name: string, withThings: WithThings): void {
  test(`${name}: every kind of value comes back as it went in`, async (t) => {
    const { knex } = await withThings(t)
    const rows = [
      {
        key: 'a',
        whole: 2 ** 53 - 1,
        small: -1,
        real: 0.1,
        flag: true,
        bytes: Buffer.from([0, 255]),
        words: 'né\n',
      },
      {
        key: 'b',
        whole: 2n ** 62n,
        small: 2 ** 31 - 1,
        real: 3,
        flag: false,
        bytes: Buffer.alloc(0),
        words: '',
      },
      {
        key: 'c',
        whole: -(2n ** 60n),
        small: 0,
        real: -1e300,
        flag: null,
        bytes: null,
        words: null,
      },
    ]
    await knex('things').insert(rows)
    const back = await knex('things').orderBy('key')
    t.strictSame(back, rows)
    t.equal(typeof back[0].whole, 'number')
    t.ok(Buffer.isBuffer(back[0].bytes))
  })

  test(`${name}: bytes out of a shared pool come back alone`, async (t) => {
    const { knex } = await withThings(t)
    const pool = Buffer.from('before romeo after')
    await knex('things').insert({ key: 'a', bytes: pool.subarray(7, 12) })
    const { bytes } = await knex('things').first()
    t.strictSame(bytes, Buffer.from('romeo'))
  })

  test(`${name}: whole numbers are bound as integers, also in expressions`, async (t) => {
    const { knex } = await withThings(t)
    await knex('things').insert({ key: 'a', whole: 7_000_000_001 })
    const [row] = await knex.raw('select whole / cast(? as bigint) as part from things', [
      1_000_000_000 * 7,
    ])
    t.equal(row.part, 1)
  })

  test(`${name}: counts and sums are numbers`, async (t) => {
    const { knex } = await withThings(t)
    await knex('things').insert([
      { key: 'a', whole: 2 },
      { key: 'b', whole: 3 },
    ])
    t.strictSame(await knex('things').count({ count: '*' }).sum({ sum: 'whole' }), [
      { count: 2, sum: 5 },
    ])
  })

  test(`${name}: updates and deletes tell how many, returning tells what`, async (t) => {
    const { knex } = await withThings(t)
    await knex('things').insert([{ key: 'a' }, { key: 'b' }])
    t.equal(await knex('things').update({ small: 1 }), 2)
    t.strictSame(
      await knex('things').where({ key: 'a' }).update({ flag: true }).returning(['key', 'flag']),
      [{ key: 'a', flag: true }],
    )
    t.equal(await knex('things').where({ key: 'b' }).delete(), 1)
    t.strictSame(await knex.raw('select key from things'), [{ key: 'a' }])
  })

  test(`${name}: a key that is there already is told from other failures`, async (t) => {
    const { knex } = await withThings(t)
    await knex('things').insert({ key: 'secret' })
    const twice: unknown = await knex('things')
      .insert({ key: 'secret' })
      .catch((error: unknown) => error)
    const unknown: unknown = await knex('nothing')
      .select()
      .catch((error: unknown) => error)
    t.ok(isUniqueViolation(twice))
    t.notOk(isUniqueViolation(unknown))
    t.notOk(isUniqueViolation(undefined))
    t.notMatch((twice as Error).message, /secret/, 'values stay out of messages')
  })

  test(`${name}: foreign keys are enforced`, async (t) => {
    const { knex } = await withThings(t)
    await knex.schema.createTable('parts', (table) => {
      table.string('thing').references('things.key').onDelete('cascade')
    })
    await t.rejects(Promise.resolve(knex('parts').insert({ thing: 'none' })))
    await knex('things').insert({ key: 'a' })
    await knex('parts').insert({ thing: 'a' })
    await knex('things').delete()
    t.strictSame(await knex('parts'), [])
  })

  test(`${name}: a table that gained a column is read with it`, async (t) => {
    const { knex, reader } = await withThings(t)
    await knex('things').insert({ key: 'a' })
    const before = await reader('things').first()
    await knex.schema.alterTable('things', (table) => table.string('more').defaultTo('new'))
    t.strictSame(await reader('things').first(), { ...before, more: 'new' })
  })
}

function transactionsContract(name: string, withThings: WithThings): void {
  test(`${name}: a transaction that throws leaves nothing`, async (t) => {
    const database = await withThings(t)
    const broken = database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      throw new Error('changed my mind')
    })
    await t.rejects(broken, { message: 'changed my mind' })
    t.strictSame(await database.knex('things'), [])
  })

  test(`${name}: a transaction whose failed statement was swallowed fails as a whole`, async (t) => {
    const database = await withThings(t)
    const broken = database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      await trx('things')
        .insert({ key: 'a' })
        .catch(() => {})
      await trx('things')
        .insert({ key: 'b' })
        .catch(() => {})
    })
    await t.rejects(broken)
    t.strictSame(await database.knex('things'), [])
    await database.transaction((trx) =>
      trx('things')
        .insert({ key: 'c' })
        .then(() => undefined),
    )
    t.strictSame(await database.knex('things').pluck('key'), ['c'])
  })

  test(`${name}: a transaction that fails at its commit leaves nothing, open or done`, async (t) => {
    const database = await withThings(t)
    await database.knex.raw(
      'create table parts (thing varchar(255) references things (key) deferrable initially deferred)',
    )
    const broken = database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      await trx('parts').insert({ thing: 'none' })
    })
    await t.rejects(broken)
    await database.transaction(async (trx) => {
      await trx('parts').insert({ thing: 'b' })
      await trx('things').insert({ key: 'b' })
    })
    t.strictSame(await database.knex('things').pluck('key'), ['b'])
  })

  test(`${name}: a nested transaction may fail alone`, async (t) => {
    const database = await withThings(t)
    await database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      const inner = trx.transaction((savepoint) => savepoint('things').insert({ key: 'a' }))
      await t.rejects(inner)
      await trx('things').insert({ key: 'b' })
    })
    t.strictSame(await database.knex('things').pluck('key').orderBy('key'), ['a', 'b'])
  })

  test(`${name}: others see nothing of a transaction until it is committed`, async (t) => {
    const database = await withThings(t)
    await database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      t.strictSame(await database.reader('things'), [])
      t.equal((await trx('things')).length, 1)
    })
    t.equal((await database.reader('things')).length, 1)
  })

  test(`${name}: statements asked for together run in the order asked`, async (t) => {
    const database = await withThings(t)
    await database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a', small: 0 })
      await Promise.all([1, 2, 3, 4, 5].map((small) => trx('things').update({ small })))
    })
    t.equal((await database.knex('things').first()).small, 5)
  })
}

function closingContract(name: string, withThings: WithThings): void {
  test(`${name}: who asks while it is closed hears at once that there is nothing`, async (t) => {
    const database = await withThings(t)
    // One that is not done when the database is closed
    const open = database.knex.client.acquireConnection()
    const began = performance.now()
    const closing = database.close()
    await open.then((connection: unknown) => database.knex.client.releaseConnection(connection))
    await new Promise((resolve) => setImmediate(resolve))
    const late = [database.knex('things'), database.reader('things').first()]
    for (const one of await Promise.allSettled(late)) t.equal(one.status, 'rejected')
    await closing
    t.ok(performance.now() - began < 10_000)
  })

  test(`${name}: closing finishes transactions that have begun and refuses new ones`, async (t) => {
    const database = await withThings(t)
    const seen: string[] = []
    const running = database.transaction(async (trx) => {
      await trx('things').insert({ key: 'a' })
      await trx('things').insert({ key: 'b' })
      seen.push('written')
    })
    const closing = database.close().then(() => seen.push('closed'))
    await t.rejects(
      database.transaction(async () => {}),
      { message: 'the database is closed' },
    )
    await running
    await closing
    t.strictSame(seen, ['written', 'closed'])
  })

  test(`${name}: closing with queries in flight ends, and twice is once`, async (t) => {
    const database = await withThings(t)
    const queries = Array.from({ length: 50 }, (_, at) =>
      database.knex('things').insert({ key: `k${at}` }),
    )
    const ends = Promise.allSettled(queries)
    await Promise.all([database.close(), database.close()])
    t.equal((await ends).length, 50)
    await t.rejects(Promise.resolve(database.knex('things')))
  })
}
