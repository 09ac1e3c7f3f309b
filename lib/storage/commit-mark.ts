// Whether a commit whose answer was lost took place. Every transaction of a journal leaves its
// number in the journal's own row; who doubts reads it there, after waiting for the lock that a
// transaction still on its way holds on that row.

import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import type { Database } from './database.js'
import type { MigrationSet } from './migrations.js'

const TABLE = 'commits'
const KEPT_MS = 7 * 86_400_000

export const journalMigrations: MigrationSet = {
  owner: 'journal',
  migrations: [
    {
      name: 'commits',
      up: (schema) =>
        schema.createTable(TABLE, (table) => {
          table.string('journal').primary()
          table.bigInteger('number').notNullable()
          table.bigInteger('at').notNullable()
        }),
    },
  ],
}

export class CommitMark {
  readonly #journal = randomUUID()
  #last = 0

  next(): number {
    return ++this.#last
  }

  async write(trx: Knex.Transaction, number: number): Promise<void> {
    const at = Date.now()
    if (number === 1)
      await trx(TABLE)
        .where('at', '<', at - KEPT_MS)
        .delete()
    await trx.raw(
      `insert into commits (journal, number, at) values (?, ?, ?)
       on conflict (journal) do update set number = excluded.number, at = excluded.at`,
      [this.#journal, number, at],
    )
  }

  committed(database: Pick<Database, 'transaction'>, number: number): Promise<boolean> {
    return database.transaction(async (trx) => {
      const row = await trx(TABLE).where({ journal: this.#journal }).forUpdate().first()
      return row?.number === number
    })
  }
}
