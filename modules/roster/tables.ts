// The tables of rosters: an item for each contact, and a counter for each account that every change
// of its roster raises. Contacts are found by their address too, for when an account is removed.

import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create rosters',
    up: (schema) =>
      schema
        .createTable('roster_items', (table) => {
          table.integer('account').notNullable()
          table.text('contact').notNullable()
          table.text('name').notNullable()
          table.text('groups').notNullable()
          table.text('subscription').notNullable()
          table.boolean('pending_out').notNullable()
          table.boolean('pending_in').notNullable()
          table.boolean('approved').notNullable()
          table.boolean('listed').notNullable()
          table.boolean('removed').notNullable()
          table.text('request').notNullable()
          table.bigInteger('version').notNullable()
          table.primary(['account', 'contact'])
          table.index(['contact'])
        })
        .createTable('roster_versions', (table) => {
          table.integer('account').primary()
          table.bigInteger('version').notNullable()
          table.bigInteger('floor').notNullable()
        }),
  },
]
