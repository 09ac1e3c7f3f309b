// The tables of accounts. An account's number is never used again; a removed name stays in
// `account_tombstones` for ever, because nobody can know when other servers have forgotten it
// (SEC-28).

import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create accounts',
    up: (schema) =>
      schema
        .createTable('accounts', (table) => {
          table.increments('number')
          table.text('host').notNullable()
          table.text('local').notNullable()
          table.text('skeleton').notNullable()
          table.boolean('disabled').notNullable()
          table.bigInteger('created').notNullable()
          table.unique(['host', 'local'])
          table.index(['host', 'skeleton'])
        })
        .createTable('account_tombstones', (table) => {
          table.text('host').notNullable()
          table.text('local').notNullable()
          table.integer('number').notNullable()
          table.bigInteger('removed').notNullable()
          table.primary(['host', 'local'])
        })
        .createTable('account_keys', (table) => {
          table.integer('number').notNullable()
          table.text('hash').notNullable()
          table.binary('salt').notNullable()
          table.integer('iterations').notNullable()
          table.binary('stored_key').notNullable()
          table.binary('server_key').notNullable()
          table.primary(['number', 'hash'])
        })
        .createTable('account_removals', (table) => {
          table.integer('number').primary()
          table.text('host').notNullable()
          table.text('local').notNullable()
        })
        .createTable('account_removal_steps', (table) => {
          table.integer('number').notNullable()
          table.text('module').notNullable()
          table.primary(['number', 'module'])
        })
        .createTable('account_secrets', (table) => {
          table.text('host').primary()
          table.binary('secret').notNullable()
        }),
  },
]
