// Whether a commit whose answer was lost took place. Every transaction of a journal leaves its
// number in the journal's own row; who doubts reads it there, after waiting for the lock that a
// transaction still on its way holds on that row.

import { randomUUID } from 'node:crypto'
import type { Database } from './database.js'
import type { MigrationSet } from './migrations.js'
import type { Write } from './writes.js'

const TABLE = 'commits'
const KEPT_MS = 7 * 86_400_000
const FORGET = `delete from commits where at < (select max(at) from commits) - ${KEPT_MS}`

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

  writes(number: number): Write[] {
    const at = Date.now()
    const old = number === 1 ? [{ sql: FORGET, runs: [[]] }] : []
    return [...old, { put: TABLE, rows: [{ journal: this.#journal, number, at }] }]
  }

  committed(database: Pick<Database, 'transaction'>, number: number): Promise<boolean> {
    return database.transaction(async (trx) => {
      const row = await trx(TABLE).where({ journal: this.#journal }).forUpdate().first()
      return row?.number === number
    })
  }
}
