// Whether an account has messages after a number. Who comes back asks it, mostly for nothing; when thousands
// do, those who ask at the same time ask together. PostgreSQL alone: for SQLite a page is as cheap.

import type { Database } from './database.js'
import { GatheredReads } from './gathered-reads.js'
import { ask } from './questions.js'

const NEWER = `select asked.owner, asked.after
  from unnest(?::bigint[], ?::bigint[]) as asked (owner, after)
  where exists (
    select 1 from archive where archive.owner = asked.owner and archive.id > asked.after
  )`

const keyOf = (owner: number, after: number): string => `${owner} ${after}`

export class Newer {
  readonly #database: Database
  readonly #gathered = new GatheredReads((keys) => this.#ask(keys))

  constructor(database: Database) {
    this.#database = database
  }

  async than(owner: number, after: number): Promise<boolean> {
    if (this.#database.kind === 'sqlite') return true
    return (await this.#gathered.read(keyOf(owner, after))) === true
  }

  async #ask(keys: readonly string[]): Promise<ReadonlyMap<string, true>> {
    const asked = keys.map((key) => key.split(' ').map(Number))
    const columns = [asked.map(([owner]) => owner!), asked.map(([, after]) => after!)]
    const rows = (await ask(this.#database, NEWER, columns)) as [number, number][]
    return new Map(rows.map(([owner, after]) => [keyOf(owner, after), true]))
  }
}
