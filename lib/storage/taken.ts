// Up to which message the devices of an account have everything: the cursor from which somebody who
// comes back without an archive goes on, and by which a message counts as delivered. It only moves
// forward. In memory it is exact; on disk it follows with the next group of the journal, so that after a
// crash a message may be delivered again, but none is forgotten.

import type { Database } from './database.js'
import type { Journal } from './journal.js'

/** LIM-taken: accounts whose cursor is in memory */
const MOST = 100_000

export class Taken {
  readonly #database: Database
  readonly #journal: Journal
  readonly #known = new Map<number, number>()

  constructor(database: Database, journal: Journal) {
    this.#database = database
    this.#journal = journal
  }

  advance(account: number, id: number): void {
    const known = this.#known.get(account)
    if (known !== undefined && known >= id) return
    this.#known.delete(account)
    this.#known.set(account, id)
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value!)
    this.#journal.ride('taken', { account, id })
  }

  /** Another node may have moved it since this one looked. */
  async of(account: number): Promise<number> {
    const row = await this.#database.reader('taken').where({ account }).first()
    return Math.max(row?.id ?? 0, this.#known.get(account) ?? 0)
  }
}
