// The SQL of standing announcements, for one host. Whether somebody is shown one is decided by one
// statement, so that of two devices that come at once only one is.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'

export type Kind = 'motd' | 'welcome'

export interface Announcement {
  readonly id: number
  readonly text: string
}

export type Standing = Readonly<Partial<Record<Kind, Announcement>>>

export class AnnouncementStore {
  readonly #database: Database
  readonly #host: string

  constructor(database: Database, host: string) {
    this.#database = database
    this.#host = host
  }

  async standing(): Promise<Standing> {
    const rows: (Announcement & { kind: Kind })[] = await this.#database
      .knex('announcements')
      .where({ host: this.#host })
      .select('id', 'kind', 'text')
    return Object.fromEntries(rows.map(({ kind, id, text }) => [kind, { id, text }]))
  }

  /** A new one, which nobody has seen. */
  async set(kind: Kind, text: string): Promise<void> {
    await this.#database.transaction(async (trx) => {
      await this.#remove(trx, kind)
      await trx('announcements').insert({ host: this.#host, kind, text })
    })
  }

  /** The same one with another text; false where there is none. */
  async edit(kind: Kind, text: string): Promise<boolean> {
    const mine = this.#database.knex('announcements').where({ host: this.#host, kind })
    return (await mine.update({ text })) > 0
  }

  remove(kind: Kind): Promise<boolean> {
    return this.#database.transaction((trx) => this.#remove(trx, kind))
  }

  async #remove(trx: Knex.Transaction, kind: Kind): Promise<boolean> {
    const mine = trx('announcements').where({ host: this.#host, kind })
    const ids: number[] = await mine.clone().pluck('id')
    await mine.delete()
    await trx('announcements_seen').whereIn('announcement', ids).delete()
    return ids.length > 0
  }

  /** True the first time. */
  async see(announcement: number, account: number): Promise<boolean> {
    const made: unknown[] = await this.#database
      .knex('announcements_seen')
      .insert({ announcement, account })
      .onConflict(['announcement', 'account'])
      .ignore()
      .returning('account')
    return made.length > 0
  }

  async welcomeLater(account: number): Promise<void> {
    await this.#database.knex('welcomes_due').insert({ account }).onConflict('account').ignore()
  }

  /** True for who is new, once. */
  async welcome(account: number): Promise<boolean> {
    return (await this.#database.knex('welcomes_due').where({ account }).delete()) > 0
  }

  async forget(trx: Knex.Transaction, account: number): Promise<void> {
    await trx('announcements_seen').where({ account }).delete()
    await trx('welcomes_due').where({ account }).delete()
  }
}
