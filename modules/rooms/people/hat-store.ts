// The hats of rooms on disk (XEP-0317), and who wears them.

import type { Knex } from 'knex'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Migration } from '../../../lib/storage/migrations.js'
import { type Hat, Hats, type Worn } from './hats.js'

export const hatTables: readonly Migration[] = [
  {
    name: 'create room_hats',
    up: (schema) =>
      schema
        .createTable('room_hats', (table) => {
          table.integer('room').notNullable()
          table.text('uri').notNullable()
          table.text('title').notNullable()
          table.text('hue').notNullable()
          table.primary(['room', 'uri'])
        })
        .createTable('room_hats_worn', (table) => {
          table.integer('room').notNullable()
          table.text('jid').notNullable()
          table.text('uri').notNullable()
          table.primary(['room', 'jid', 'uri'])
        }),
  },
]

export class HatStore {
  readonly #knex: Knex

  constructor(knex: Knex) {
    this.#knex = knex
  }

  async read(room: number): Promise<Hats> {
    const hats: Hat[] = await this.#knex('room_hats')
      .where({ room })
      .orderBy('uri')
      .select('uri', 'title', 'hue')
    if (hats.length === 0) return new Hats()
    const worn: Worn[] = await this.#knex('room_hats_worn')
      .where({ room })
      .orderBy(['jid', 'uri'])
      .select('jid', 'uri')
    return new Hats(hats, worn)
  }

  put(entry: JournalEntry, room: number, hat: Hat): void {
    entry.write(async (trx) => {
      await trx('room_hats')
        .insert({ room, ...hat })
        .onConflict(['room', 'uri'])
        .merge()
    })
  }

  destroy(entry: JournalEntry, room: number, uri: string): void {
    entry.write(async (trx) => {
      await trx('room_hats_worn').where({ room, uri }).delete()
      await trx('room_hats').where({ room, uri }).delete()
    })
  }

  assign(entry: JournalEntry, room: number, { jid, uri }: Worn): void {
    entry.write(async (trx) => {
      await trx('room_hats_worn')
        .insert({ room, jid, uri })
        .onConflict(['room', 'jid', 'uri'])
        .ignore()
    })
  }

  unassign(entry: JournalEntry, room: number, { jid, uri }: Worn): void {
    entry.write(
      async (trx) => void (await trx('room_hats_worn').where({ room, jid, uri }).delete()),
    )
  }

  /** Of an account that is gone, everywhere; gives the rooms. */
  async forget(jid: string, trx: Knex.Transaction): Promise<number[]> {
    const rooms = await trx('room_hats_worn').where({ jid }).distinct().pluck('room')
    await trx('room_hats_worn').where({ jid }).delete()
    return rooms.map(Number)
  }

  /** All of a room */
  remove(entry: JournalEntry, room: number): void {
    entry.write(async (trx) => {
      await trx('room_hats_worn').where({ room }).delete()
      await trx('room_hats').where({ room }).delete()
    })
  }
}
