// Whether a commit whose answer was lost took place. Every transaction of a journal begins by leaving
// its number in the journal's own row; who doubts reads it there, after waiting for a transaction that
// is still on its way: for the lock that it holds on that row, or for the row that it is making. One that
// has not even begun holds none: what was sent to a server that hangs is done when it goes on. So whoever
// finds nothing puts a later number there, and PostgreSQL refuses the earlier one from then on.

import { randomUUID } from 'node:crypto'
import type { Database } from './database.js'
import { COMMITS, livesMigration } from './lives.js'
import type { Migration, MigrationSet } from './migrations.js'
import { TOO_LATE } from './trouble.js'
import type { Write } from './writes.js'

const DAY = 86_400_000
/** A life that is over may come back as long as its row says so: a machine that stood still. */
const FORGET = `delete from commits where at < (select max(at) from commits) -
  case when alive = 0 then ${365 * DAY} else ${7 * DAY} end`

const FUNCTION = `
  create function refuse_late_number() returns trigger language plpgsql as $$
  begin
    raise exception 'too late: it was looked for, and not there' using errcode = '${TOO_LATE}';
  end $$`

const TRIGGER = `
  create trigger late_number before update of number on ${COMMITS}
    for each row when (new.number <= old.number) execute function refuse_late_number()`

const lateMigration: Migration = {
  name: 'numbers that come too late',
  async up(_, trx) {
    if (trx.client.dialect !== 'postgresql') return
    await trx.raw(FUNCTION)
    await trx.raw(TRIGGER)
  },
}

export const journalMigrations: MigrationSet = {
  owner: 'journal',
  migrations: [
    {
      name: 'commits',
      up: (schema) =>
        schema.createTable(COMMITS, (table) => {
          table.string('journal').primary()
          table.bigInteger('number').notNullable()
          table.bigInteger('at').notNullable()
        }),
    },
    livesMigration,
    lateMigration,
  ],
}

export class CommitMark {
  readonly #journal: string
  #last = 0
  #over = false

  /** `life` is this journal's name. */
  constructor(life: string = randomUUID()) {
    this.#journal = life
  }

  /** Who looked something up saw that this life is over. */
  get over(): boolean {
    return this.#over
  }

  next(): number {
    return ++this.#last
  }

  /** What such a transaction begins with */
  writes(number: number): Write[] {
    const at = Date.now()
    const old = number === 1 ? [{ sql: FORGET, runs: [[]] }] : []
    return [{ put: COMMITS, rows: [{ journal: this.#journal, number, at }], strict: true }, ...old]
  }

  /** Whether it is there; if not it never will be. */
  committed(database: Pick<Database, 'transaction'>, number: number): Promise<boolean> {
    return database.transaction(async (trx) => {
      const journal = this.#journal
      const none = { journal, number: 0, at: Date.now() }
      await trx(COMMITS).insert(none).onConflict('journal').ignore()
      const row = await trx(COMMITS).where({ journal }).forUpdate().first()
      this.#over = row.alive === 0
      const there = row.number === number
      if (!there && !this.#over)
        await trx(COMMITS).where({ journal }).update({ number: this.next(), at: none.at })
      return there
    })
  }
}
