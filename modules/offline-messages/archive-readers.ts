// Which clients read the archive by themselves: a session that has asked for its account's archive, and
// from then on the resource under which it did. A bounded number for each account, the latest ones.

import type { Knex } from 'knex'
import type { Session } from '../../lib/core/session.js'
import type { Database } from '../../lib/storage/database.js'
import type { Migration } from '../../lib/storage/migrations.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

/** LIM-archive-readers: resources remembered for one account */
const MOST = 20
/** Noted again no sooner: who comes is remembered longest. */
const AGAIN = 24 * 3600_000

export const migrations: readonly Migration[] = [
  {
    name: 'create archive_readers',
    up: (schema) =>
      schema.createTable('archive_readers', (table) => {
        table.bigInteger('account').notNullable()
        table.text('resource').notNullable()
        table.bigInteger('used').notNullable()
        table.primary(['account', 'resource'])
      }),
  },
]

const reads = Symbol('reads the archive')

export class ArchiveReaders {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Asking for the form or for both ends of it is not reading (XEP-0313 §4.1.5, §5). */
  isReading(stanza: Stanza): boolean {
    return stanza.type === 'set' && stanza.has('query', NS_ARCHIVE)
  }

  note(session: Session, now: number): Promise<void> | undefined {
    const noted = session.memo.get(reads) as number | undefined
    if (noted !== undefined && now < noted + AGAIN) return undefined
    session.memo.set(reads, now)
    return this.remember({ account: session.number, resource: session.resource, used: now })
  }

  async has(session: Session): Promise<boolean> {
    if (session.memo.has(reads)) return true
    const row = await this.#database
      .reader('archive_readers')
      .where({ account: session.number, resource: session.resource })
      .first('used')
    return row !== undefined
  }

  async remember(row: { account: number; resource: string; used: number }): Promise<void> {
    const { account } = row
    await this.#database.transaction(async (trx) => {
      await trx('archive_readers').insert(row).onConflict(['account', 'resource']).merge(['used'])
      const old: string[] = await trx('archive_readers')
        .where({ account })
        .orderBy('used', 'desc')
        .offset(MOST)
        .limit(MOST)
        .pluck('resource')
      if (old.length > 0)
        await trx('archive_readers').where({ account }).whereIn('resource', old).delete()
    })
  }

  async forget(account: number, trx: Knex.Transaction): Promise<void> {
    await trx('archive_readers').where({ account }).delete()
  }
}
