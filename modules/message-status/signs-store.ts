// What came back about messages to people of other servers: receipts for single messages, and how far a
// peer has displayed a conversation. Of people of this server more is known, and nothing is kept.

import type { Knex } from 'knex'
import { conversationName } from '../../lib/storage/conversations.js'
import type { Database } from '../../lib/storage/database.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Migration } from '../../lib/storage/migrations.js'
import type { Jid } from '../../lib/xmpp/jid.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create message_receipts',
    up: (schema) =>
      schema.createTable('message_receipts', (table) => {
        table.bigInteger('id').primary()
        table.bigInteger('at').notNullable()
        table.bigInteger('account').notNullable().index()
      }),
  },
  {
    name: 'create displayed_by_peer',
    up: (schema) =>
      schema.createTable('displayed_by_peer', (table) => {
        table.text('conversation').primary()
        table.bigInteger('id').notNullable()
        table.bigInteger('at').notNullable()
        table.bigInteger('account').notNullable().index()
      }),
  },
]

/** A message of an account, and when the sign of it came */
interface Sign {
  readonly account: number
  readonly peer: Jid
  readonly id: number
  readonly at: number
}

/** LIM-forgotten-receipts: rows of one turn */
const MOST = 2000

export class SignsStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The first receipt counts. */
  delivered(entry: JournalEntry, { account, id, at }: Sign): void {
    entry.write(async (trx) => {
      await trx('message_receipts').insert({ id, at, account }).onConflict('id').ignore()
    })
  }

  displayed(entry: JournalEntry, { account, peer, id, at }: Sign): void {
    entry.put('displayed_by_peer', {
      conversation: conversationName(account, peer),
      id,
      at,
      account,
    })
  }

  /** When the receipt for a message came */
  async receipt(id: number): Promise<number | undefined> {
    return (await this.#database.reader('message_receipts').where({ id }).first('at'))?.at
  }

  /** Up to which message a peer has displayed what the account sent, and when it last said so */
  async shownTo(account: number, peer: Jid): Promise<{ id: number; at: number } | undefined> {
    const conversation = conversationName(account, peer)
    return this.#database.reader('displayed_by_peer').where({ conversation }).first('id', 'at')
  }

  /** Receipts for messages before this one; whether there may be more. */
  async expire(before: number): Promise<boolean> {
    const ids: number[] = await this.#database
      .reader('message_receipts')
      .where('id', '<', before)
      .limit(MOST)
      .pluck('id')
    if (ids.length > 0) await this.#database.knex('message_receipts').whereIn('id', ids).delete()
    return ids.length === MOST
  }

  async forget(account: number, trx: Knex.Transaction): Promise<void> {
    for (const table of ['message_receipts', 'displayed_by_peer'])
      await trx(table).where({ account }).delete()
  }
}
