// Which life makes a session again: whoever changes its row first, as it was found. On PostgreSQL, where
// several nodes want sessions, those that are claimed while others are on their way go together.

import type { Database } from '../../lib/storage/database.js'
import { GatheredWrites } from '../../lib/storage/gathered-writes.js'
import { SESSIONS, type SessionRow } from './store.js'

const CLAIM = `update ${SESSIONS} as s
  set life = c.to_life, detached = c.detached, version = c.version + 1
  from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bigint[])
    as c (number, version, from_life, to_life, detached)
  where s.number = c.number and s.version = c.version and s.life = c.from_life
  returning s.number`

export interface Claim {
  readonly life: string
  /** Until a stream has it, its absence goes on. */
  readonly detached: number
}

interface Wish {
  readonly row: SessionRow
  readonly by: Claim
}

export class Claims {
  readonly #database: Database
  readonly #together = new GatheredWrites<Wish, boolean>({
    keyOf: ({ row }) => row.number,
    write: (wishes) => this.#all(wishes),
  })

  constructor(database: Database) {
    this.#database = database
  }

  /** Whether it was as it was found. */
  claim(row: SessionRow, by: Claim): Promise<boolean> {
    if (this.#database.kind === 'sqlite') return this.#alone(row, by)
    return this.#together.write({ row, by })
  }

  async #alone({ number, life, version }: SessionRow, by: Claim): Promise<boolean> {
    const claimed = await this.#database.transaction((trx) =>
      trx(SESSIONS)
        .where({ number, life, version })
        .update({ ...by, version: version + 1 }),
    )
    return claimed === 1
  }

  async #all(wishes: readonly Wish[]): Promise<readonly boolean[]> {
    const values = [
      wishes.map(({ row }) => row.number),
      wishes.map(({ row }) => row.version),
      wishes.map(({ row }) => row.life),
      wishes.map(({ by }) => by.life),
      wishes.map(({ by }) => by.detached),
    ]
    const [rows] = await this.#database.write([{ sql: CLAIM, runs: [values] }])
    const claimed = new Set((rows as readonly { number: number }[]).map(({ number }) => number))
    return wishes.map(({ row }) => claimed.has(row.number))
  }
}
