// Which life makes a session again: whoever changes its row first, as it was found. On PostgreSQL, where
// several nodes want sessions, those that are claimed while others are on their way go together.

import type { Database } from '../../lib/storage/database.js'
import { SESSIONS, type SessionRow } from './store.js'

/** LIM-claims: in one transaction */
const TOGETHER = 200

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

interface Waiting {
  readonly row: SessionRow
  readonly by: Claim
  resolve(claimed: boolean): void
  reject(error: unknown): void
}

export class Claims {
  readonly #database: Database
  #waiting: Waiting[] = []
  #running = false

  constructor(database: Database) {
    this.#database = database
  }

  /** Whether it was as it was found. */
  claim(row: SessionRow, by: Claim): Promise<boolean> {
    if (this.#database.kind === 'sqlite') return this.#alone(row, by)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, by, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #alone({ number, life, version }: SessionRow, by: Claim): Promise<boolean> {
    const claimed = await this.#database.transaction((trx) =>
      trx(SESSIONS)
        .where({ number, life, version })
        .update({ ...by, version: version + 1 }),
    )
    return claimed === 1
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const some = this.#next()
      try {
        const claimed = await this.#together(some)
        for (const { row, resolve } of some) resolve(claimed.has(row.number))
      } catch (error) {
        for (const { reject } of some) reject(error)
      }
    }
    this.#running = false
  }

  /** Each session once: of two the second comes too late, and is to find that out. */
  #next(): Waiting[] {
    const some = new Map<number, Waiting>()
    const later: Waiting[] = []
    for (const one of this.#waiting) {
      if (some.size < TOGETHER && !some.has(one.row.number)) some.set(one.row.number, one)
      else later.push(one)
    }
    this.#waiting = later
    return [...some.values()]
  }

  async #together(some: readonly Waiting[]): Promise<ReadonlySet<number>> {
    const values = [
      some.map(({ row }) => row.number),
      some.map(({ row }) => row.version),
      some.map(({ row }) => row.life),
      some.map(({ by }) => by.life),
      some.map(({ by }) => by.detached),
    ]
    const [rows] = await this.#database.write([{ sql: CLAIM, runs: [values] }])
    return new Set((rows as readonly { number: number }[]).map(({ number }) => Number(number)))
  }
}
