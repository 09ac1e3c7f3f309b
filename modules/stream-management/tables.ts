// Sessions whose streams are managed, and their counts. A session's row is written whole and carries a
// version, its counts are written with the stanzas that they count: both only move forward.

import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create managed sessions',
    up: (schema) =>
      schema
        .createTable('sm_sessions', (table) => {
          table.bigInteger('number').primary()
          table.integer('version').notNullable()
          table.text('id').notNullable()
          table.integer('account').notNullable()
          table.text('life').notNullable()
          table.text('resource').notNullable()
          table.bigInteger('created').notNullable()
          table.bigInteger('timeout').notNullable()
          table.bigInteger('detached').notNullable()
          table.bigInteger('ended').notNullable()
          table.text('state').notNullable()
          table.text('owed').notNullable()
          table.index('account')
        })
        .createTable('stream_counts', (table) => {
          table.bigInteger('session').primary()
          table.bigInteger('handled').notNullable()
          table.bigInteger('position').notNullable()
          table.text('requests').notNullable()
        })
        .createTable('sm_lives', (table) => {
          table.text('life').primary()
          table.bigInteger('seen').notNullable()
        }),
  },
]
