// The rooms of a service that anybody may find, for who searches among them (XEP-0433): read from the database
// now and then and kept meanwhile, so that no question costs a walk through all of them. A page is asked of the
// database once more before it is given out: what was hidden since is not in it.

import type { Knex } from 'knex'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { isOpen, readSettings, type Settings } from '../settings.js'
import type { Venue } from '../venue.js'

/** LIM-channels: rooms that are searched */
export const MOST_CHANNELS = 10_000
/** Milliseconds for which what was read is good enough (XEP-0433 §6.2: it may be stale) */
const FRESH = 30_000
/** Rooms that are read in one go: between them others have their turn. */
const TOGETHER = 250

export interface Channel {
  readonly local: string
  readonly jid: Jid
  readonly name: string
  readonly description: string
  readonly language: string
  readonly users: number
  /** Anybody may enter (§6.2). */
  readonly open: boolean
  /** Everybody sees who everybody is. */
  readonly known: boolean
  /** As words are looked for in them */
  readonly folded: { readonly name: string; readonly description: string; readonly address: string }
}

interface Row {
  readonly number: number
  readonly name: string
  readonly settings: string
}

export class Channels {
  readonly #venue: Venue
  #read: { at: number; channels: Promise<readonly Channel[]> } | undefined

  constructor(venue: Venue) {
    this.#venue = venue
  }

  /** In the order of their addresses */
  all(): Promise<readonly Channel[]> {
    const now = this.#venue.host.clock.now()
    if (!this.#read || now - this.#read.at >= FRESH) {
      const read = { at: now, channels: this.#fetch() }
      this.#read = read
      read.channels.catch(() => {
        if (this.#read === read) this.#read = undefined
      })
    }
    return this.#read.channels
  }

  /** Those of a page that may still be found */
  async still(page: readonly Channel[]): Promise<readonly Channel[]> {
    const names = page.map(({ local }) => local)
    const found = new Set(await this.#public().whereIn('name', names).pluck('name'))
    return page.filter(({ local }) => found.has(local))
  }

  #public(): Knex.QueryBuilder {
    const { database, domain } = this.#venue.host
    return database.knex('rooms').where({ host: domain, hidden: false, locked: false })
  }

  async #fetch(): Promise<readonly Channel[]> {
    const { limits } = this.#venue
    const users = await this.#users()
    const channels: Channel[] = []
    for (let after = 0; channels.length < MOST_CHANNELS; ) {
      const rows = await this.#rows(after)
      for (const { number, name, settings } of rows)
        channels.push(
          channel(this.#venue.addressOf(name), {
            settings: readSettings(settings, limits),
            users: users.get(Number(number)) ?? 0,
          }),
        )
      if (rows.length < TOGETHER) break
      after = Number(rows.at(-1)!.number)
    }
    return channels.sort((a, b) => order(a.local, b.local))
  }

  async #rows(after: number): Promise<Row[]> {
    return this.#public()
      .where('number', '>', after)
      .orderBy('number')
      .limit(TOGETHER)
      .select('number', 'name', 'settings')
  }

  async #users(): Promise<Map<number, number>> {
    const { database, domain } = this.#venue.host
    const rows: { room: number; users: number }[] = await database
      .knex('room_occupants')
      .join('rooms', 'rooms.number', 'room_occupants.room')
      .where({ host: domain, hidden: false })
      .whereNot('room_occupants.nick', '')
      .groupBy('room_occupants.room')
      .select('room_occupants.room')
      .countDistinct({ users: 'room_occupants.nick' })
    return new Map(rows.map((row) => [Number(row.room), Number(row.users)]))
  }
}

function channel(jid: Jid, { settings, users }: { settings: Settings; users: number }): Channel {
  const { name, description, language, membersOnly, password } = settings
  return {
    ...{ local: jid.local, jid, name, description, language, users },
    open: !membersOnly && password === '',
    known: isOpen(settings),
    folded: { name: fold(name), description: fold(description), address: fold(jid.text) },
  }
}

export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** The same on every database */
export function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
