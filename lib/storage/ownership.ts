// Which node owns what, as the database has it: a key of some kind is owned by one life at a time. It is
// claimed where nobody owns it or where its owner is fenced, so two lives never own it at once: claims go
// through the journal, and a life that is over claims nothing. Each tenure has a number greater than those
// before it. Who may be fenced is decided elsewhere.

import type { Clock } from '../ops/clock.js'
import type { Knex } from 'knex'
import type { Database } from './database.js'
import type { Journal } from './journal.js'
import { COMMITS, fence } from './lives.js'
import { migrate, type MigrationSet } from './migrations.js'

const TABLE = 'owned'
/** Milliseconds for which the number of a tenure is remembered that has ended */
const REMEMBERED = 7 * 86_400_000

const tables: MigrationSet = {
  owner: 'ownership',
  migrations: [
    {
      name: 'create owned',
      up: (schema) =>
        schema.createTable(TABLE, (table) => {
          table.text('kind').notNullable()
          table.text('key').notNullable()
          table.text('node').notNullable()
          // Empty: nobody owns it.
          table.text('life').notNullable()
          table.bigInteger('epoch').notNullable()
          table.bigInteger('at').notNullable()
          table.primary(['kind', 'key'])
        }),
    },
  ],
}

interface Holder {
  readonly node: string
  readonly life: string
}

export type Claim = { readonly epoch: number } | { readonly owner: Holder }

interface OwnershipOptions {
  readonly database: Database
  readonly journal: Journal
  readonly clock: Clock
  readonly self: Holder
}

interface OwnedRow extends Holder {
  readonly epoch: number
}

export class Ownership {
  readonly #options: OwnershipOptions
  #ready: Promise<unknown> | undefined

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** This life owns it from now on, or somebody else does. */
  async claim(kind: string, key: string): Promise<Claim> {
    await this.#tables()
    let claim: Claim | undefined
    await this.#write(async (trx) => {
      claim = await this.#claim(trx, { kind, key })
    })
    return claim!
  }

  /** Nobody owns it from now on. */
  async release(kind: string, key: string): Promise<void> {
    const { clock, self } = this.#options
    const mine = { kind, key, life: self.life }
    await this.#write((trx) => trx(TABLE).where(mine).update({ life: '', at: clock.now() }))
  }

  /** Forgets what nobody has owned for long. */
  async tidy(): Promise<void> {
    if (!this.#ready) return
    const { database, clock } = this.#options
    const before = clock.now() - REMEMBERED
    for (const life of await this.#lost(before)) await fence(database, life)
    await database.transaction(async (trx) => {
      const over = trx(COMMITS).where('alive', 0).select('journal')
      await trx(TABLE)
        .where('at', '<', before)
        .where((row) => row.where('life', '').orWhereIn('life', over))
        .delete()
    })
  }

  /**
   * Lives that ended without anybody who took over from them, and that the database has forgotten. Where
   * one has only been silent it is to know that it owns nothing any more.
   */
  #lost(before: number): Promise<string[]> {
    const { database, self } = this.#options
    return database
      .knex(TABLE)
      .where('at', '<', before)
      .whereNotIn('life', ['', self.life])
      .whereNotIn('life', database.knex(COMMITS).select('journal'))
      .distinct()
      .pluck('life')
  }

  /** Made when something is owned for the first time. */
  #tables(): Promise<unknown> {
    this.#ready ??= migrate(this.#options.database, [tables]).catch((error) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  #write(change: (trx: Knex.Transaction) => PromiseLike<unknown>): Promise<void> {
    const { journal } = this.#options
    const entry = journal.entry()
    entry.write(async (trx) => void (await change(trx)))
    return journal.commit(entry)
  }

  async #claim(trx: Knex.Transaction, what: { kind: string; key: string }): Promise<Claim> {
    const { clock, self } = this.#options
    const at = clock.now()
    const nobody = { ...what, node: '', life: '', epoch: 0, at }
    await trx(TABLE).insert(nobody).onConflict(['kind', 'key']).ignore()
    const row: OwnedRow = await trx(TABLE).where(what).forUpdate().first()
    const { node, life } = row
    if (life === self.life) return { epoch: row.epoch }
    if (life !== '' && !(await isOver(trx, life))) return { owner: { node, life } }
    const epoch = row.epoch + 1
    await trx(TABLE).where(what).update({ node: self.node, life: self.life, epoch, at })
    return { epoch }
  }
}

async function isOver(trx: Knex.Transaction, life: string): Promise<boolean> {
  return (await trx(COMMITS).where({ journal: life, alive: 0 }).first()) !== undefined
}
