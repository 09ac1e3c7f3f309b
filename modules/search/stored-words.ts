// What the index of words has in common in both stores: how far it has come, and taking away what the
// log has no more.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { Reading, WordIndex, WordQuery } from './word-index.js'

export interface WordTable {
  /** By which a document is found in `message_words` */
  readonly key: string
  /** Where the numbers of all documents are listed, as `id` */
  readonly listed: string
  /** Documents that a sweep takes away at a time */
  readonly swept: number
}

export abstract class StoredWords implements WordIndex {
  protected readonly database: Database
  readonly #table: WordTable

  constructor(database: Database, table: WordTable) {
    this.database = database
    this.#table = table
  }

  abstract find(query: WordQuery): Promise<readonly number[]>

  abstract advance(read: Reading): Promise<boolean>

  async reached(): Promise<number> {
    const row = await this.database.reader('search_progress').first()
    return row?.reached ?? 0
  }

  async remove(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
    await trx('message_words')
      .whereIn(this.#table.key, [...ids])
      .delete()
  }

  async sweep(before: number): Promise<boolean> {
    const { listed, swept } = this.#table
    const rows = this.database.reader(listed).where('id', '<', before).orderBy('id').limit(swept)
    const ids: number[] = await rows.pluck('id')
    if (ids.length > 0) await this.database.transaction((trx) => this.remove(trx, ids))
    return ids.length === swept
  }
}
