// The tables of rooms. What is said in them is in the core's message log, under a number of the room's own.

import type { Migration } from '../../lib/storage/migrations.js'
import { mentionTables } from './said/mention-store.js'
import { forsakenTables } from './people/forsaking.js'
import { goneTables } from './said/left-behind.js'
import { cardTables } from './setup/card-store.js'
import { changeTables } from './people/affiliation-change-store.js'
import { hatTables } from './people/hat-store.js'
import { tokenTables } from './people/token-store.js'
import { visitTables } from './said/visit-store.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create rooms',
    up: (schema) =>
      schema
        .createTable('rooms', (table) => {
          table.increments('number')
          table.text('host').notNullable()
          table.text('name').notNullable()
          table.text('settings').notNullable()
          // JSON; empty: none was ever set
          table.text('subject').notNullable()
          table.boolean('locked').notNullable()
          // As the settings have it: for lists
          table.boolean('hidden').notNullable()
          table.bigInteger('created').notNullable()
          table.unique(['host', 'name'])
        })
        .createTable('room_affiliations', (table) => {
          table.integer('room').notNullable()
          table.text('jid').notNullable().index()
          table.text('affiliation').notNullable()
          table.text('nick').notNullable()
          table.text('reason').notNullable()
          table.primary(['room', 'jid'])
        })
        .createTable('room_occupants', (table) => {
          // The room's number and the visitor's address
          table.text('visitor').primary()
          table.bigInteger('at').notNullable()
          table.integer('room').notNullable().index()
          // Empty: gone
          table.text('nick').notNullable()
          table.text('role').notNullable()
          table.text('node').notNullable()
          table.text('presence').notNullable()
        }),
  },
  {
    name: 'remember who left which nick, and in which life visitors came',
    up: (schema) =>
      schema.alterTable('room_occupants', (table) => {
        table.text('was').notNullable().defaultTo('')
        table.text('life').notNullable().defaultTo('')
      }),
  },
  ...cardTables,
  ...hatTables,
  ...tokenTables,
  ...visitTables,
  ...goneTables,
  ...mentionTables,
  ...changeTables,
  ...forsakenTables,
  {
    name: 'remember since when somebody is what he is',
    up: (schema) =>
      schema.alterTable('room_affiliations', (table) => {
        // Milliseconds since 1970; 0 for long ago
        table.bigInteger('since').notNullable().defaultTo(0)
      }),
  },
]
