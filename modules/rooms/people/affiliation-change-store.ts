// The SQL of what became of the lists of a room, one row for each change: the last ones are kept, so that who
// knows an older version is told what is different (XEP-0463).

import type { Database } from '../../../lib/storage/database.js'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Migration } from '../../../lib/storage/migrations.js'
import type { Affiliation } from '../standing.js'

export const changeTables: readonly Migration[] = [
  {
    name: 'keep versions of affiliations',
    up: (schema) =>
      schema.createTable('room_affiliation_changes', (table) => {
        table.integer('room').notNullable()
        table.bigInteger('version').notNullable()
        table.text('jid').notNullable()
        table.text('before').notNullable()
        table.text('after').notNullable()
        table.primary(['room', 'version'])
      }),
  },
]

export interface ChangeRow {
  readonly version: number
  readonly jid: string
  readonly before: Affiliation
  readonly after: Affiliation
}

export class AffiliationChangeStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Oldest first */
  async list(room: number): Promise<ChangeRow[]> {
    const rows = await this.#database
      .knex('room_affiliation_changes')
      .where({ room })
      .orderBy('version')
    return rows.map(({ version, jid, before, after }) => ({
      ...{ version: Number(version), jid, before, after },
    }))
  }

  /** What is older than `from` is forgotten. */
  add(
    entry: JournalEntry,
    room: number,
    { rows, from }: { rows: readonly ChangeRow[]; from: number },
  ) {
    entry.write(async (trx) => {
      await trx('room_affiliation_changes').insert(rows.map((row) => ({ room, ...row })))
      await trx('room_affiliation_changes').where({ room }).where('version', '<', from).delete()
    })
  }

  remove(entry: JournalEntry, room: number): void {
    entry.write(
      async (trx) => void (await trx('room_affiliation_changes').where({ room }).delete()),
    )
  }
}
