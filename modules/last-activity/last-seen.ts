// When accounts were last here, with what they said as they went (XEP-0012 §3).

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Migration } from '../../lib/storage/migrations.js'

export interface LastSeen {
  /** Milliseconds since 1970 */
  readonly at: number
  readonly status: string
}

export const migrations: readonly Migration[] = [
  {
    name: 'create last seen',
    up: (schema) =>
      schema.createTable('last_seen', (table) => {
        table.integer('account').primary()
        table.bigInteger('at').notNullable()
        table.text('status').notNullable()
      }),
  },
]

export class LastSeenStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async read(account: number): Promise<LastSeen | undefined> {
    const row = await this.#database.reader('last_seen').where({ account }).first('at', 'status')
    return row && { at: Number(row.at), status: row.status }
  }

  write(entry: JournalEntry, account: number, seen: LastSeen): void {
    entry.write(async (trx) => {
      await trx('last_seen')
        .insert({ account, ...seen })
        .onConflict('account')
        .merge()
    })
  }

  async remove(trx: Knex.Transaction, account: number): Promise<void> {
    await trx('last_seen').where({ account }).delete()
  }
}
