// The cards of rooms (XEP-0054, XEP-0486): one for a room, and the hashes of the pictures in it, which are
// wanted more often.

import type { Knex } from 'knex'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Migration } from '../../../lib/storage/migrations.js'

export const cardTables: readonly Migration[] = [
  {
    name: 'create room_cards',
    up: (schema) =>
      schema.createTable('room_cards', (table) => {
        table.integer('room').primary()
        table.text('card').notNullable()
        // With a space between them
        table.text('hashes').notNullable()
      }),
  },
]

export interface CardRow {
  readonly card: string
  readonly hashes: readonly string[]
}

export class CardStore {
  readonly #knex: Knex

  constructor(knex: Knex) {
    this.#knex = knex
  }

  async card(room: number): Promise<string | undefined> {
    const row = await this.#knex('room_cards').where({ room }).first('card')
    return row?.card
  }

  async hashes(room: number): Promise<readonly string[]> {
    const row = await this.#knex('room_cards').where({ room }).first('hashes')
    return row ? split(row.hashes) : []
  }

  put(entry: JournalEntry, room: number, { card, hashes }: CardRow): void {
    entry.write(async (trx) => {
      await trx('room_cards')
        .insert({ room, card, hashes: hashes.join(' ') })
        .onConflict('room')
        .merge()
    })
  }

  remove(entry: JournalEntry, room: number): void {
    entry.write(async (trx) => void (await trx('room_cards').where({ room }).delete()))
  }
}

function split(hashes: string): readonly string[] {
  return hashes === '' ? [] : hashes.split(' ')
}
