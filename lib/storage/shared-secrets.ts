// What all nodes of a server know and nobody else does: made by whoever asks first, the same for all
// from then on.

import type { Database } from './database.js'
import { migrate, type MigrationSet } from './migrations.js'

const TABLE = 'shared_secrets'

const tables: MigrationSet = {
  owner: 'shared secrets',
  migrations: [
    {
      name: 'create shared secrets',
      up: (schema) =>
        schema.createTable(TABLE, (table) => {
          table.string('name').primary()
          table.binary('secret').notNullable()
        }),
    },
  ],
}

export async function sharedSecret(
  database: Database,
  name: string,
  make: () => Buffer,
): Promise<Buffer> {
  await migrate(database, [tables])
  const { knex } = database
  await knex(TABLE).insert({ name, secret: make() }).onConflict('name').ignore()
  const kept: { secret: Buffer } = await knex(TABLE).where({ name }).first('secret')
  return kept.secret
}
