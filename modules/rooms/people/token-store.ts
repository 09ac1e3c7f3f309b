// Tokens that let somebody into a room as a member (XEP-0488), as the database has them.

import type { Knex } from 'knex'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Migration } from '../../../lib/storage/migrations.js'

export const tokenTables: readonly Migration[] = [
  {
    name: 'create room_tokens',
    up: (schema) =>
      schema.createTable('room_tokens', (table) => {
        table.integer('room').notNullable()
        table.text('token').notNullable()
        // Bare
        table.text('creator').notNullable()
        table.bigInteger('expires').notNullable()
        // How often it may still be used; -1: as often as anybody likes
        table.integer('uses').notNullable()
        table.primary(['room', 'token'])
      }),
  },
]

export interface Token {
  readonly token: string
  readonly creator: string
  readonly expires: number
  readonly uses: number
}

export class TokenStore {
  readonly #knex: Knex

  constructor(knex: Knex) {
    this.#knex = knex
  }

  async all(room: number): Promise<Token[]> {
    const rows = await this.#knex('room_tokens').where({ room }).orderBy(['expires', 'token'])
    return rows.map(({ token, creator, expires, uses }) => ({
      ...{ token, creator, expires: Number(expires), uses: Number(uses) },
    }))
  }

  put(entry: JournalEntry, room: number, token: Token): void {
    entry.write(async (trx) => {
      await trx('room_tokens')
        .insert({ room, ...token })
        .onConflict(['room', 'token'])
        .merge()
    })
  }

  remove(entry: JournalEntry, room: number, tokens: readonly string[]): void {
    entry.write(
      async (trx) =>
        void (await trx('room_tokens').where({ room }).whereIn('token', tokens).delete()),
    )
  }

  /** Of a maker who is gone, everywhere; gives the rooms. */
  async forget(creator: string, trx: Knex.Transaction): Promise<number[]> {
    const rooms = await trx('room_tokens').where({ creator }).distinct().pluck('room')
    await trx('room_tokens').where({ creator }).delete()
    return rooms.map(Number)
  }

  /** All of a room */
  clear(entry: JournalEntry, room: number): void {
    entry.write(async (trx) => void (await trx('room_tokens').where({ room }).delete()))
  }
}
