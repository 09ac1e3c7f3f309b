// The key of ids: one for all nodes, and the one that an earlier version made.

import { test } from 'tap'
import { systemRandom } from '../../../lib/ops/random.js'
import { Database } from '../../../lib/storage/database.js'
import { migrate } from '../../../lib/storage/migrations.js'
import { sharedSecret } from '../../../lib/storage/shared-secrets.js'
import { permutation } from '../../../lib/xmpp/permutation.js'
import { IDS, openIds } from '../../../modules/archive/archive-ids.js'
import { migrations } from '../../../modules/archive/tables.js'
import { freshPostgres } from '../../world/postgres.js'

const stores = {
  SQLite: async () => 'sqlite:memory',
  PostgreSQL: freshPostgres,
}

for (const [name, url] of Object.entries(stores)) {
  const fresh = async () => {
    const database = await Database.open({ url: await url(), folder: '', durability: 'crash' })
    const upTo = (step?: number) =>
      migrate(database, [{ owner: 'archive', migrations: migrations.slice(0, step) }])
    return { database, upTo }
  }

  test(`${name}: ids stay what they were when their key had a table of its own`, async (t) => {
    for (const secretsAreThere of [false, true]) {
      const { database, upTo } = await fresh()
      t.teardown(() => database.close())
      await upTo(2)
      const key = systemRandom.bytes(16)
      await database.knex('archive_key').insert({ place: 1, key })
      if (secretsAreThere) await sharedSecret(database, 'bus', () => systemRandom.bytes(32))
      await upTo()
      const ids = await openIds(database, systemRandom)
      t.equal(ids.seal(1), permutation(key).seal(1))
    }
  })

  test(`${name}: nodes that begin together on a new database have one key`, async (t) => {
    const { database, upTo } = await fresh()
    t.teardown(() => database.close())
    await upTo()
    const both = await Promise.all([1, 2].map(() => openIds(database, systemRandom)))
    t.equal(both[0]!.seal(1), both[1]!.seal(1))
    const kept: { secret: Buffer }[] = await database.knex('shared_secrets').where({ name: IDS })
    t.same(
      kept.map(({ secret }) => secret.length),
      [16],
    )
  })
}
