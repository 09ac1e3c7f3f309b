// An account that is removed belongs to no room any more (SEC-28): which rooms have to hear of it is on disk with
// the end of the account, and each is told until it has heard, also after a crash. What becomes of a room is
// in succession.ts. What the account said stays: that is part of what others said to it, and the room's.

import type { Knex } from 'knex'
import type { Account } from '../../../lib/core/module.js'
import type { Migration } from '../../../lib/storage/migrations.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { RoomFeature } from '../feature.js'
import type { OwnedRooms } from '../nodes/owned-rooms.js'
import type { Venue } from '../venue.js'

export const forsakenTables: readonly Migration[] = [
  {
    name: 'create rooms_forsaken',
    up: (schema) =>
      schema.createTable('rooms_forsaken', (table) => {
        table.integer('room').notNullable()
        // Bare address of an account that is no more, until the room has heard of it
        table.text('account').notNullable()
        table.primary(['room', 'account'])
      }),
  },
]

const BELONGING = ['member', 'admin', 'owner']
/** Rooms that are told at a time */
const AT_ONCE = 20

interface Forsaken {
  readonly number: number
  readonly name: string
  readonly account: string
}

/** A room that is gone hears of nothing. */
export const forsakes: RoomFeature = {
  name: 'forsaking',
  destroyed({ number }, entry) {
    entry.write(async (trx) => void (await trx('rooms_forsaken').where({ room: number }).delete()))
  },
}

export class Forsaking {
  readonly #venue: Venue
  readonly #rooms: OwnedRooms
  #stopped = false

  constructor(venue: Venue, rooms: OwnedRooms) {
    this.#venue = venue
    this.#rooms = rooms
  }

  stop(): void {
    this.#stopped = true
  }

  /** May be called again after a crash; what it gives back tells the rooms. */
  async forget({ jid }: Account, trx: Knex.Transaction): Promise<(() => void) | undefined> {
    // Rooms of other hosts, too: those are told by their own.
    const belongs: number[] = await trx('room_affiliations')
      .where({ jid: jid.text })
      .whereIn('affiliation', BELONGING)
      .pluck('room')
    const numbers = new Set(belongs)
    for (const { forget } of this.#venue.features)
      for (const number of (await forget?.(jid, trx)) ?? []) numbers.add(number)
    await trx('room_mentions').where({ account: jid.text }).delete()
    const rows = [...numbers].map((room) => ({ room, account: jid.text }))
    for (let at = 0; at < rows.length; at += AT_ONCE)
      await trx('rooms_forsaken')
        .insert(rows.slice(at, at + AT_ONCE))
        .onConflict(['room', 'account'])
        .ignore()
    return rows.length > 0 ? () => void this.run() : undefined
  }

  /** Tells the rooms that have not heard of it. */
  run(): Promise<void> {
    const running = this.#run()
    this.#venue.host.server.pending(running)
    return running
  }

  async #run(): Promise<void> {
    const { database, domain } = this.#venue.host
    while (!this.#stopped) {
      const rows: Forsaken[] = await database
        .knex('rooms_forsaken')
        .join('rooms', 'rooms.number', 'rooms_forsaken.room')
        .where({ host: domain })
        .limit(AT_ONCE)
        .select('number', 'name', 'account')
      const told = await Promise.all(rows.map((row) => this.#tell(row)))
      // Who has not heard of it now is told with the next run.
      if (rows.length < AT_ONCE || told.includes(false)) return
    }
  }

  async #tell({ number, name, account }: Forsaken): Promise<boolean> {
    const { host } = this.#venue
    try {
      await this.#rooms.deed(this.#venue.addressOf(name), 'forsake', account)
    } catch (error) {
      if (!(error instanceof StanzaError)) host.failed('rooms', error)
      return false
    }
    await host.database.knex('rooms_forsaken').where({ room: number, account }).delete()
    return true
  }
}
