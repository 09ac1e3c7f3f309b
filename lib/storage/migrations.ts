// Migrations: each module owns a list of named steps, and each step runs once, in order, in a
// transaction of its own that also records it. Nodes that start together wait for one another.
// Steps that the database knows and this version does not are left alone; `unknownSteps` names them.
// The journal's own steps come first, unasked.

import type { Knex } from 'knex'
import { journalMigrations } from './commit-mark.js'
import type { Database } from './database.js'

export interface Migration {
  /** Unique within its module, never changed once released: 'create archive', 'add index on peer' */
  readonly name: string
  up(schema: Knex.SchemaBuilder, trx: Knex.Transaction): PromiseLike<unknown>
}

export interface MigrationSet {
  /** The module's name */
  readonly owner: string
  readonly migrations: readonly Migration[]
}

const TABLE = 'migrations'
const LOCK = 0x7e4ce7

/** Runs what has not run yet; gives `owner: name` of each step that ran. */
export function migrate(database: Database, sets: readonly MigrationSet[]): Promise<string[]> {
  return database.patiently((patient) => runAll(patient, [journalMigrations, ...sets]))
}

async function runAll(database: Database, sets: readonly MigrationSet[]): Promise<string[]> {
  await locked(database, async (trx) => {
    if (!(await trx.schema.hasTable(TABLE))) await createTable(trx)
  })
  const recorded = await recordedSteps(database)
  const applied: string[] = []
  for (const { owner, migrations } of sets) {
    for (const migration of migrations) {
      const step = `${owner}: ${migration.name}`
      if (!recorded.has(step) && (await apply(database, owner, migration))) applied.push(step)
    }
  }
  return applied
}

/** Steps of a newer version or of a module that is not loaded. */
export async function unknownSteps(
  database: Database,
  sets: readonly MigrationSet[],
): Promise<string[]> {
  const known = new Set(
    [journalMigrations, ...sets].flatMap(({ owner, migrations }) =>
      migrations.map(({ name }) => `${owner}: ${name}`),
    ),
  )
  return [...(await recordedSteps(database))].filter((step) => !known.has(step))
}

function apply(database: Database, owner: string, { name, up }: Migration): Promise<boolean> {
  return locked(database, async (trx) => {
    // Another node may have run it while we waited.
    if (await trx(TABLE).where({ owner, name }).first()) return false
    await up(trx.schema, trx)
    await trx(TABLE).insert({ owner, name, at: Date.now() })
    return true
  })
}

/** On SQLite a transaction holds the write lock anyway. */
function locked<T>(database: Database, run: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return database.transaction(async (trx) => {
    if (database.kind === 'postgres') {
      await trx.raw('set local statement_timeout = 0')
      await trx.raw('select pg_advisory_xact_lock(?)', [LOCK])
    }
    return run(trx)
  })
}

function createTable(trx: Knex.Transaction): PromiseLike<unknown> {
  return trx.schema.createTable(TABLE, (table) => {
    table.string('owner').notNullable()
    table.string('name').notNullable()
    table.bigInteger('at').notNullable()
    table.primary(['owner', 'name'])
  })
}

async function recordedSteps(database: Database): Promise<Set<string>> {
  const rows: { owner: string; name: string }[] = await database.knex(TABLE).select('owner', 'name')
  return new Set(rows.map(({ owner, name }) => `${owner}: ${name}`))
}
