// What all nodes of a server know and nobody else does: made by whoever asks first, the same for all
// from then on.

import type { Knex } from 'knex'
import type { Database } from './database.js'
import { migrate, type MigrationSet } from './migrations.js'

const TABLE = 'shared_secrets'

const tables: MigrationSet = {
  owner: 'shared secrets',
  migrations: [{ name: 'create shared secrets', up: (schema) => created(schema) }],
}

export async function sharedSecret(
  database: Database,
  name: string,
  make: () => Buffer,
): Promise<Buffer> {
  await migrate(database, [tables])
  const { knex } = database
  await kept(knex, name, make())
  const { secret }: { secret: Buffer } = await knex(TABLE).where({ name }).first('secret')
  return secret
}

/** For steps of migration that bring a secret along; that may be before anybody has asked for one. */
export async function keepSecret(
  trx: Knex.Transaction,
  name: string,
  secret: Buffer,
): Promise<void> {
  await created(trx.schema)
  await kept(trx, name, secret)
}

async function created(schema: Knex.SchemaBuilder): Promise<void> {
  if (await schema.hasTable(TABLE)) return
  await schema.createTable(TABLE, (table) => {
    table.string('name').primary()
    table.binary('secret').notNullable()
  })
}

function kept(knex: Knex, name: string, secret: Buffer): PromiseLike<unknown> {
  return knex(TABLE).insert({ name, secret }).onConflict('name').ignore()
}
