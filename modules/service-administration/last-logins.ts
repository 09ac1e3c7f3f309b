// When each account last logged in, on whatever node. Logins are collected and written together every
// minute, so that a login costs nothing here: after a crash the last minute may be missing.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { Migration } from '../../lib/storage/migrations.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create last logins',
    up: (schema) =>
      schema.createTable('last_logins', (table) => {
        table.integer('account').primary()
        table.bigInteger('at').notNullable()
      }),
  },
]

/** LIM-last-logins: accounts held before they are written early */
const MOST_HELD = 1000
const ROWS = 200

export class LastLogins {
  readonly #database: Database
  #held = new Map<number, number>()
  #writing: Promise<void> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  get held(): number {
    return this.#held.size
  }

  /** What it returns, where it returns something, may be waited for. */
  note(account: number, at: number): Promise<void> | undefined {
    this.#held.set(account, at)
    return this.#held.size >= MOST_HELD ? this.flush() : undefined
  }

  /** What only this node knows */
  heldOf(account: number): number | undefined {
    return this.#held.get(account)
  }

  async read(account: number): Promise<number | undefined> {
    await this.#writing
    const row = await this.#database.knex('last_logins').where({ account }).first('at')
    return row && Number(row.at)
  }

  async flush(): Promise<void> {
    await this.#writing
    const held = this.#held
    if (held.size === 0) return
    this.#held = new Map()
    this.#writing = this.#write(held).finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  #write(held: ReadonlyMap<number, number>): Promise<void> {
    const rows = [...held].map(([account, at]) => ({ account, at }))
    return this.#database.transaction(async (trx) => {
      for (let from = 0; from < rows.length; from += ROWS) {
        const some = rows.slice(from, from + ROWS)
        // Another node may have written a later one.
        await trx('last_logins')
          .insert(some)
          .onConflict('account')
          .merge()
          .where('last_logins.at', '<', trx.ref('excluded.at'))
      }
    })
  }

  async forget(trx: Knex.Transaction, account: number): Promise<void> {
    this.#held.delete(account)
    await trx('last_logins').where({ account }).delete()
  }
}
