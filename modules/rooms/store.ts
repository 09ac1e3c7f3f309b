// The SQL of rooms, for one host. What a room decides goes through the journal, so that a node whose life is
// over changes nothing; who is in a room is written behind, and what is lost of it is asked of the nodes.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Affiliated } from './affiliations.js'
import type { Role } from './standing.js'

/** Numbers of rooms in the message log, where accounts have theirs from one on */
const LOG_NUMBERS = 2 ** 40

export interface RoomRow {
  readonly number: number
  readonly name: string
  readonly settings: string
  readonly subject: string
  readonly locked: boolean
  readonly hidden: boolean
  readonly created: number
}

export interface NewRoom {
  readonly row: Omit<RoomRow, 'number'>
  readonly owner: Jid
}

export interface RoomPage {
  readonly after?: string | undefined
  /** '' for the last page */
  readonly before?: string | undefined
  readonly limit: number
  /** Also those that are not to be found */
  readonly hidden: boolean
}

export interface VisitorRow {
  readonly jid: Jid
  readonly at: number
  /** '' where it is gone */
  readonly nick: string
  /** The nick that nobody has since it is gone */
  readonly was: string
  readonly role: Role
  readonly node: string
  /** Of the node, in which it came */
  readonly life: string
  /** Wire text */
  readonly presence: string
}

/** A room's number in the message log */
export function logNumberOf({ number }: { number: number }): number {
  return LOG_NUMBERS + number
}

const COLUMNS = ['number', 'name', 'settings', 'subject', 'locked', 'hidden', 'created']

export class RoomStore {
  readonly #database: Database
  readonly #host: string

  constructor(database: Database, host: string) {
    this.#database = database
    this.#host = host
  }

  async find(name: string): Promise<RoomRow | undefined> {
    const row = await this.#rooms().where({ name }).first(COLUMNS)
    return row && roomRow(row)
  }

  /** By name; those after one, the newest pages last. */
  async page({ after, before, limit, hidden }: RoomPage): Promise<RoomRow[]> {
    const rows = this.#rooms()
    if (after !== undefined) rows.where('name', '>', after)
    if (before) rows.where('name', '<', before)
    // What is locked is not there yet (XEP-0045 §7.2.10).
    if (!hidden) rows.where({ hidden: false, locked: false })
    const found = await rows
      .orderBy('name', before === undefined ? 'asc' : 'desc')
      .limit(limit)
      .select(COLUMNS)
    const page = found.map(roomRow)
    return before === undefined ? page : page.reverse()
  }

  async countCreatedBy(jid: Jid): Promise<number> {
    const [row] = await this.#database
      .knex('room_affiliations')
      .join('rooms', 'rooms.number', 'room_affiliations.room')
      .where({ host: this.#host, jid: jid.bare.text, affiliation: 'owner' })
      .count({ count: '*' })
    return Number(row!.count)
  }

  /** With its owner, within the entry; `made` is called with its number. */
  create(entry: JournalEntry, { row, owner }: NewRoom, made: (number: number) => void): void {
    entry.write(async (trx) => {
      const [created] = await trx('rooms')
        .insert({ host: this.#host, ...row })
        .returning('number')
      const room = Number(created.number)
      const standing = { affiliation: 'owner', nick: '', reason: '', since: row.created }
      await trx('room_affiliations').insert({ room, jid: owner.bare.text, ...standing })
      made(room)
    })
  }

  update(entry: JournalEntry, number: number, change: Partial<RoomRow>): void {
    entry.write(async (trx) => void (await trx('rooms').where({ number }).update(change)))
  }

  /** Everything of the room but what was said there */
  remove(entry: JournalEntry, number: number): void {
    entry.write(async (trx) => {
      await trx('room_affiliations').where({ room: number }).delete()
      await trx('room_occupants').where({ room: number }).delete()
      await trx('rooms').where({ number }).delete()
    })
  }

  async affiliations(number: number): Promise<Affiliated[]> {
    const rows = await this.#database
      .knex('room_affiliations')
      .where({ room: number })
      .orderBy('jid')
    return rows.map(({ jid, affiliation, nick, reason, since }) => ({
      jid: Jid.parse(jid),
      affiliation,
      since: Number(since),
      ...(nick !== '' && { nick }),
      ...(reason !== '' && { reason }),
    }))
  }

  affiliate(entry: JournalEntry, number: number, entries: readonly Affiliated[]): void {
    const rows = entries.map(({ jid, affiliation, nick = '', reason = '', since = 0 }) => ({
      ...{ room: number, jid: jid.text, affiliation, nick, reason, since },
    }))
    entry.write(async (trx) => {
      await trx('room_affiliations').insert(rows).onConflict(['room', 'jid']).merge()
    })
  }

  unaffiliate(entry: JournalEntry, number: number, jids: readonly Jid[]): void {
    const texts = jids.map(({ text }) => text)
    entry.write(async (trx) => {
      await trx('room_affiliations').where({ room: number }).whereIn('jid', texts).delete()
    })
  }

  /** In the order in which they came or went */
  async visitors(number: number): Promise<VisitorRow[]> {
    const rows = await this.#database
      .knex('room_occupants')
      .where({ room: number })
      .orderBy(['at', 'visitor'])
    return rows.map(({ visitor, at, nick, was, role, node, life, presence }) => ({
      ...{ jid: Jid.parse(visitor.slice(visitor.indexOf(' ') + 1)), at: Number(at) },
      ...{ nick, was, role, node, life, presence },
    }))
  }

  /** A later one of the same visitor takes its place. */
  visit(entry: JournalEntry, number: number, row: VisitorRow): void {
    const { jid, at, nick, was, role, node, life, presence } = row
    const visitor = `${number} ${jid.text}`
    const place = { room: number, nick, was, role, node, life }
    entry.put('room_occupants', { visitor, at, ...place, presence })
  }

  /** Rows of those who were gone before this moment */
  async tidy(number: number, before: number): Promise<void> {
    await this.#database
      .knex('room_occupants')
      .where({ room: number, nick: '' })
      .where('at', '<', before)
      .delete()
  }

  #rooms(): Knex.QueryBuilder {
    return this.#database.knex('rooms').where({ host: this.#host })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the database has it
function roomRow(row: any): RoomRow {
  const { number, name, settings, subject, locked, hidden, created } = row
  const flags = { locked: Boolean(locked), hidden: Boolean(hidden) }
  return { number, name, settings, subject, ...flags, created: Number(created) }
}
