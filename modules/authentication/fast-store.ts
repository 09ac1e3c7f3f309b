// Tokens of FAST (XEP-0484): for each account and client installation one that is in use and one that
// was given out and not yet used. A token is not in its row: it is made from the row's seed with a
// secret of the host, so that rows alone let nobody in.

import { createHmac } from 'node:crypto'
import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { Migration } from '../../lib/storage/migrations.js'
import { GatheredReads } from '../../lib/storage/gathered-reads.js'
import { GatheredWrites } from '../../lib/storage/gathered-writes.js'

export interface TokenRow {
  readonly number: number
  readonly agent: string
  readonly slot: 'current' | 'new'
  readonly mechanism: string
  readonly seed: Buffer
  readonly issued: number
  readonly expires: number
  /** The highest count that was seen (XEP-0484 §4.4) */
  readonly count: number
}

const TABLE = 'login_tokens'
/** Client installations of one account that have tokens */
const MOST_AGENTS = 50

export const migrations: readonly Migration[] = [
  {
    name: 'create login tokens',
    up: (schema) =>
      schema.createTable(TABLE, (table) => {
        table.integer('number').notNullable()
        table.text('agent').notNullable()
        table.text('slot').notNullable()
        table.text('mechanism').notNullable()
        table.binary('seed').notNullable()
        table.bigInteger('issued').notNullable()
        table.bigInteger('expires').notNullable()
        table.bigInteger('count').notNullable()
        table.primary(['number', 'agent', 'slot'])
        table.index('expires')
      }),
  },
]

const USED = 'unnest($1::integer[], $2::text[], $3::bytea[]) as used (number, agent, seed)'
const OF_USED = `${TABLE}.number = used.number and ${TABLE}.agent = used.agent`

/** Another login may have promoted the same token just before: that one stays. */
const PROMOTE = {
  sqlite: [
    `delete from ${TABLE} where number = ?1 and agent = ?2 and seed <> ?3 and slot = 'current'`,
    `update ${TABLE} set slot = 'current' where number = ?1 and agent = ?2 and seed = ?3`,
  ],
  postgres: [
    `delete from ${TABLE} using ${USED}
      where ${OF_USED} and ${TABLE}.seed <> used.seed and slot = 'current'`,
    `update ${TABLE} set slot = 'current' from ${USED}
      where ${OF_USED} and ${TABLE}.seed = used.seed`,
  ],
}

export class TokenStore {
  readonly #database: Database
  readonly #secret: Buffer
  readonly #promoting = new GatheredWrites<TokenRow, void>({
    keyOf: ({ number, agent }) => `${number} ${agent}`,
    write: (rows) => this.#promote(rows),
  })
  readonly #finding = new GatheredReads((numbers) => this.#find(numbers))

  constructor(database: Database, secret: Buffer) {
    this.#database = database
    this.#secret = secret
  }

  /** The secret that client and server share. */
  tokenOf({ number, agent, mechanism, seed }: Omit<TokenRow, 'slot'>): string {
    return createHmac('sha256', this.#secret)
      .update(seed)
      .update(`${number} ${agent} ${mechanism}`)
      .digest('base64url')
  }

  /** Whether there are any or not, it is one question (SEC-22), with those that come at the same time. */
  async find(number: number, agent: string): Promise<TokenRow[]> {
    const found = await this.#finding.read(String(number))
    return found?.filter((row) => row.agent === agent) ?? []
  }

  async #find(numbers: readonly string[]): Promise<ReadonlyMap<string, TokenRow[]>> {
    const rows = await this.#rows(numbers.map(Number))
    const found = new Map<string, TokenRow[]>()
    for (const row of rows) {
      const key = String(row.number)
      found.set(key, [...(found.get(key) ?? []), row])
    }
    return found
  }

  /** PostgreSQL gets one text, however many they are: it need not plan each count anew. */
  #rows(numbers: readonly number[]): Promise<TokenRow[]> {
    const { knex, kind } = this.#database
    return kind === 'sqlite'
      ? knex(TABLE).whereIn('number', numbers).select()
      : knex(TABLE)
          .whereRaw('number = any(?::integer[])', [[...numbers]])
          .select()
  }

  /** Into the slot of the new: the one in use stays good until this is used (XEP-0484 §4.5). */
  async issue(row: TokenRow): Promise<void> {
    await this.#database.transaction(async (trx) => {
      const { number, agent, slot } = row
      await trx(TABLE).where({ number, agent, slot }).delete()
      await trx(TABLE).insert(row)
      await this.#trim(trx, number)
    })
  }

  async #trim(trx: Knex.Transaction, number: number): Promise<void> {
    const agents: { agent: string }[] = await trx(TABLE)
      .where({ number })
      .groupBy('agent')
      .orderByRaw('max(issued) desc')
      .select('agent')
    const old = agents.slice(MOST_AGENTS).map(({ agent }) => agent)
    if (old.length > 0) await trx(TABLE).where({ number }).whereIn('agent', old).delete()
  }

  /** It was used: whatever was given out before it is good no more. */
  promote(row: TokenRow): Promise<void> {
    return this.#promoting.write(row)
  }

  async #promote(rows: readonly TokenRow[]): Promise<readonly void[]> {
    const { kind } = this.#database
    const used = rows.map(({ number, agent, seed }) => [number, agent, seed])
    const columns = [0, 1, 2].map((at) => used.map((values) => values[at]))
    const runs = kind === 'sqlite' ? used : [columns]
    await this.#database.write(PROMOTE[kind].map((sql) => ({ sql, runs })))
    return rows.map(() => undefined)
  }

  /** False where another login with this token counted as far at the same time. */
  async count({ number, agent, seed }: TokenRow, count: number): Promise<boolean> {
    const raised = await this.#database
      .knex(TABLE)
      .where({ number, agent, seed })
      .where('count', '<', count)
      .update({ count })
    return raised === 1
  }

  async invalidate({ number, agent, seed }: TokenRow): Promise<void> {
    await this.#database.knex(TABLE).where({ number, agent, seed }).delete()
  }

  async forget(number: number, trx: Knex = this.#database.knex): Promise<void> {
    await trx(TABLE).where({ number }).delete()
  }

  async expire(now: number): Promise<void> {
    await this.#database.knex(TABLE).where('expires', '<', now).delete()
  }
}
