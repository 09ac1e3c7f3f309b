// Bookmarks on disk: a row for each room of an account, and one for the account, without which it has never
// written any here: then what it kept as private data before counts.

import type { Knex } from 'knex'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Migration } from '../../lib/storage/migrations.js'
import type { Bookmarks } from './conversion.js'

export const migrations: readonly Migration[] = [
  {
    name: 'create bookmarks',
    up: (schema) =>
      schema
        .createTable('bookmarks', (table) => {
          table.bigInteger('account').notNullable()
          table.text('jid').notNullable()
          table.text('content').notNullable()
          table.primary(['account', 'jid'])
        })
        .createTable('bookmark_lists', (table) => {
          table.bigInteger('account').primary()
          table.text('rest').notNullable()
        }),
  },
]

export class BookmarkStore {
  readonly #knex: Knex

  constructor(knex: Knex) {
    this.#knex = knex
  }

  /** Undefined where it has never written any */
  async read(account: number): Promise<Bookmarks | undefined> {
    const list = await this.#knex('bookmark_lists').where({ account }).first('rest')
    if (!list) return undefined
    const rows: { jid: string; content: string }[] = await this.#knex('bookmarks')
      .where({ account })
      .orderBy('jid')
      .select('jid', 'content')
    return { rooms: new Map(rows.map(({ jid, content }) => [jid, content])), rest: list.rest }
  }

  /** What is different; of other rooms another node may be writing. */
  write(
    entry: JournalEntry,
    account: number,
    { changed, gone, rest }: { changed: Bookmarks['rooms']; gone: readonly string[]; rest: string },
  ): void {
    const rows = [...changed].map(([jid, content]) => ({ account, jid, content }))
    entry.write(async (trx) => {
      await trx('bookmark_lists').insert({ account, rest }).onConflict('account').merge()
      if (gone.length > 0) await trx('bookmarks').where({ account }).whereIn('jid', gone).delete()
      if (rows.length > 0)
        await trx('bookmarks').insert(rows).onConflict(['account', 'jid']).merge()
    })
  }

  async forget(account: number, trx: Knex.Transaction): Promise<void> {
    await trx('bookmarks').where({ account }).delete()
    await trx('bookmark_lists').where({ account }).delete()
  }
}
