// The tables of the search: an index of words in each store's own way, and how far it has come.

import type { Migration } from '../../lib/storage/migrations.js'
import { postgresTables } from './postgres-words.js'
import { sqliteTables } from './sqlite-words.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create message_words',
    async up(schema, trx) {
      const isPostgres = trx.client.dialect === 'postgresql'
      for (const sql of isPostgres ? postgresTables : sqliteTables) await trx.raw(sql)
      await schema.createTable('search_progress', (table) => {
        table.integer('place').primary()
        table.bigInteger('reached').notNullable()
      })
      await trx('search_progress').insert({ place: 1, reached: 0 })
    },
  },
]
