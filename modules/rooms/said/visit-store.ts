// Which rooms are somebody's, and when he was in each of them last (XEP-0437): for members, admins and owners.

import type { Knex } from 'knex'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Migration } from '../../../lib/storage/migrations.js'

export const visitTables: readonly Migration[] = [
  {
    name: 'create room_visits',
    up: (schema) =>
      schema.createTable('room_visits', (table) => {
        // The room's number and the account's address
        table.text('visit').primary()
        table.bigInteger('at').notNullable()
        table.integer('room').notNullable().index()
      }),
  },
]

export interface OwnRoom {
  readonly number: number
  readonly name: string
  /** When he left it last, 0 for never */
  readonly left: number
}

const STANDING = ['member', 'admin', 'owner']

export class VisitStore {
  readonly #knex: Knex
  readonly #host: string

  constructor(knex: Knex, host: string) {
    this.#knex = knex
    this.#host = host
  }

  left(entry: JournalEntry, visit: { room: number; account: string; at: number }): void {
    const { room, account, at } = visit
    entry.put('room_visits', { visit: nameOf(room, account), at, room })
  }

  /** Those in which an account has a standing */
  async rooms(account: string, limit: number): Promise<OwnRoom[]> {
    const rows: { number: number; name: string }[] = await this.#affiliated()
      .where('room_affiliations.jid', account)
      .orderBy('rooms.number')
      .limit(limit)
      .select('rooms.number', 'rooms.name')
    const visits: { room: number; at: number }[] = await this.#knex('room_visits')
      .whereIn(
        'visit',
        rows.map(({ number }) => nameOf(number, account)),
      )
      .select('room', 'at')
    const left = new Map(visits.map(({ room, at }) => [Number(room), Number(at)]))
    return rows.map(({ number, name }) => ({
      ...{ number: Number(number), name, left: left.get(Number(number)) ?? 0 },
    }))
  }

  /** Of these accounts those that still have a standing in a room */
  async affiliated(room: number, accounts: readonly string[]): Promise<Set<string>> {
    const found = await this.#affiliated()
      .where('rooms.number', room)
      .whereIn('room_affiliations.jid', accounts)
      .pluck('room_affiliations.jid')
    return new Set(found)
  }

  /** Of these sessions those that are in a room */
  async inside(rooms: readonly number[], sessions: readonly string[]): Promise<Set<string>> {
    const names = rooms.flatMap((room) => sessions.map((session) => nameOf(room, session)))
    const found = await this.#knex('room_occupants')
      .whereIn('visitor', names)
      .whereNot('nick', '')
      .pluck('visitor')
    return new Set(found)
  }

  remove(entry: JournalEntry, room: number): void {
    entry.write(async (trx) => void (await trx('room_visits').where({ room }).delete()))
  }

  #affiliated(): Knex.QueryBuilder {
    return this.#knex('room_affiliations')
      .join('rooms', 'rooms.number', 'room_affiliations.room')
      .where({ host: this.#host, locked: false })
      .whereIn('room_affiliations.affiliation', STANDING)
  }
}

export function nameOf(room: number, address: string): string {
  return `${room} ${address}`
}
