// The archive's own tables. The messages are the log's; here is what accounts prefer. The key under which
// numbers are shown has become a shared secret: its table stays for nodes of an earlier version that start
// beside this one.

import type { Migration } from '../../lib/storage/migrations.js'
import { keepSecret } from '../../lib/storage/shared-secrets.js'
import { IDS } from './archive-ids.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create archive_key',
    up: (schema) =>
      schema.createTable('archive_key', (table) => {
        table.integer('place').primary()
        table.binary('key').notNullable()
      }),
  },
  {
    name: 'create archive_preferences',
    up: (schema) =>
      schema.createTable('archive_preferences', (table) => {
        table.bigInteger('account').primary()
        table.text('standard').notNullable()
        table.text('always').notNullable()
        table.text('never').notNullable()
        table.bigInteger('changed').notNullable()
        table.index(['changed'])
      }),
  },
  {
    name: 'keep the key of ids among the shared secrets',
    async up(_, trx) {
      const made: { key: Buffer } | undefined = await trx('archive_key').first('key')
      if (made) await keepSecret(trx, IDS, made.key)
    },
  },
]
