// Tokens on either store: the one that was used is good, what was given out before it no more (XEP-0484 §4.5).

import { test } from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { migrate } from '../../../lib/storage/migrations.js'
import { migrations, TokenStore } from '../../../modules/authentication/fast-store.js'
import { freshPostgres } from '../../world/postgres.js'

const token = (number: number, name: string) => ({
  ...{ number, agent: 'phone', slot: 'new' as const, mechanism: 'HT-SHA-256-NONE' },
  ...{ seed: Buffer.from(name), issued: 1, expires: 2, count: 0 },
})
const stores = { sqlite: async () => 'sqlite:memory', postgres: freshPostgres }

for (const [kind, address] of Object.entries(stores))
  test(`the token that was used takes the place of the one before, on ${kind}`, async (t) => {
    const url = await address()
    const database = await Database.open({ url, folder: t.testdir(), durability: 'crash' })
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'authentication', migrations }])
    const store = new TokenStore(database, Buffer.alloc(32))
    const slots = async (number: number) => {
      const rows = await store.find(number, 'phone')
      return rows.map(({ slot, seed }) => `${slot} ${seed}`).sort()
    }
    for (const number of [1, 2, 3]) {
      await store.issue(token(number, 'old'))
      await store.promote(token(number, 'old'))
      await store.issue(token(number, 'next'))
    }
    await store.issue({ ...token(1, 'laptop'), agent: 'laptop' })
    // Two logins with the same one at the same time, and others beside them
    const used = [1, 2, 1].map((number) => store.promote(token(number, 'next')))
    await Promise.all(used)
    t.same(await Promise.all([1, 2, 3, 4].map(slots)), [
      ['current next'],
      ['current next'],
      ['current old', 'new next'],
      [],
    ])
    t.equal((await store.find(1, 'laptop')).length, 1)
  })
