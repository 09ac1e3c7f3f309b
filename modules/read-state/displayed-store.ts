// Up to which message an account has displayed each of its conversations. Rows only move forward; a
// conversation has a row when something in it was displayed, so they are no more than conversations.

import type { Knex } from 'knex'
import { conversationName } from '../../lib/storage/conversations.js'
import type { Database } from '../../lib/storage/database.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Migration } from '../../lib/storage/migrations.js'
import type { Jid } from '../../lib/xmpp/jid.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create displayed',
    up: (schema) =>
      schema.createTable('displayed', (table) => {
        // Account and peer in one: rows are put by one key.
        table.text('conversation').primary()
        table.bigInteger('id').notNullable()
        table.bigInteger('account').notNullable().index()
        table.text('peer').notNullable()
      }),
  },
]

export class DisplayedStore {
  readonly #reader: Knex

  constructor({ reader }: Database) {
    this.#reader = reader
  }

  /** The number of the message, 0 where nothing was displayed yet. */
  async of(account: number, peer: Jid): Promise<number> {
    const conversation = conversationName(account, peer)
    const row = await this.#reader('displayed').where({ conversation }).first('id')
    return row?.id ?? 0
  }

  /** Of all conversations, by the peer's bare address. */
  async all(account: number): Promise<Map<string, number>> {
    const rows: { peer: string; id: number }[] = await this.#reader('displayed')
      .where({ account })
      .select('peer', 'id')
    return new Map(rows.map(({ peer, id }) => [peer, id]))
  }

  put(entry: JournalEntry, account: number, { peer, id }: { peer: Jid; id: number }): void {
    const conversation = conversationName(account, peer)
    entry.put('displayed', { conversation, id, account, peer: peer.bare.text })
  }

  async forget(account: number, trx: Knex.Transaction): Promise<void> {
    await trx('displayed').where({ account }).delete()
  }
}
