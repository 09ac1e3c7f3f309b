// The tables of standing announcements: the text of each, who has seen the message of the day, and
// who is new and has not been welcomed. A message of the day that is set anew has a new number.

import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create announcements',
    up: (schema) =>
      schema
        .createTable('announcements', (table) => {
          table.increments('id')
          table.text('host').notNullable()
          table.text('kind').notNullable()
          table.text('text').notNullable()
          table.unique(['host', 'kind'])
        })
        .createTable('announcements_seen', (table) => {
          table.integer('announcement').notNullable()
          table.integer('account').notNullable().index()
          table.primary(['announcement', 'account'])
        })
        .createTable('welcomes_due', (table) => {
          table.integer('account').primary()
        }),
  },
]
