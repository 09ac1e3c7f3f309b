// The archive's own tables. The messages are the log's; here are the key under which their numbers are
// shown, and what accounts prefer.

import type { Migration } from '../../lib/storage/migrations.js'

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
]
