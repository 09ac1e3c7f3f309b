// The table of invitations. Of a token only its hash is kept: who reads the database can invite
// nobody with it.

import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create invitations',
    up: (schema) =>
      schema.createTable('invitations', (table) => {
        table.increments('id')
        table.text('host').notNullable()
        table.text('hash').notNullable().unique()
        // The account that invites; null where the command line of the machine did.
        table.integer('inviter').nullable().index()
        table.text('made_by').notNullable()
        // The name that the invitation is for, if it is for one.
        table.text('local').nullable()
        // Whether who comes and who invited become each other's contacts.
        table.boolean('contact').notNullable()
        table.integer('uses').notNullable()
        table.bigInteger('created').notNullable()
        table.bigInteger('expires').nullable()
        table.index(['host', 'local'])
      }),
  },
]
