// Migrations: each module owns a list of named steps, and each step runs once, in order, in a
// transaction that also records it. Steps of modules that are new to this database go together in one
// transaction: what they make nobody uses yet. Every later step has one of its own, because it may hold
// tables that other nodes work with. Nodes that start together wait for one another.
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

interface Step extends Migration {
  readonly owner: string
}

async function runAll(database: Database, sets: readonly MigrationSet[]): Promise<string[]> {
  const [own = [], ...others] = sets.map(({ owner, migrations }) =>
    migrations.map((migration) => ({ ...migration, owner })),
  )
  if (!(await database.knex.schema.hasTable(TABLE))) await locked(database, createTable)
  const recorded = await recordedSteps(database.knex)
  const known = new Set([...recorded].map((step) => step.slice(0, step.indexOf(': '))))
  const due = (steps: readonly Step[]) => steps.filter((step) => !recorded.has(nameOf(step)))
  const applied: string[] = []
  for (const group of [due(own), ...together(due(others.flat()), known)])
    if (group.length > 0) applied.push(...(await apply(database, group)))
  return applied
}

function together(steps: readonly Step[], known: ReadonlySet<string>): Step[][] {
  const groups: Step[][] = []
  let last: Step[] | undefined
  for (const step of steps) {
    const isNew = !known.has(step.owner)
    if (isNew && last) last.push(step)
    else groups.push([step])
    last = isNew ? groups.at(-1) : undefined
  }
  return groups
}

const nameOf = ({ owner, name }: { owner: string; name: string }): string => `${owner}: ${name}`

/** Steps of a newer version or of a module that is not loaded. */
export async function unknownSteps(
  database: Database,
  sets: readonly MigrationSet[],
): Promise<string[]> {
  const known = new Set(
    [journalMigrations, ...sets].flatMap(({ owner, migrations }) =>
      migrations.map(({ name }) => nameOf({ owner, name })),
    ),
  )
  return [...(await recordedSteps(database.knex))].filter((step) => !known.has(step))
}

function apply(database: Database, steps: readonly Step[]): Promise<string[]> {
  return locked(database, async (trx) => {
    // Another node may have run them while we waited.
    const recorded = await recordedSteps(trx)
    const missing = steps.filter((step) => !recorded.has(nameOf(step)))
    for (const { up } of missing) await up(trx.schema, trx)
    const at = Date.now()
    if (missing.length > 0)
      await trx(TABLE).insert(missing.map(({ owner, name }) => ({ owner, name, at })))
    return missing.map(nameOf)
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

async function createTable(trx: Knex.Transaction): Promise<void> {
  if (await trx.schema.hasTable(TABLE)) return
  await trx.schema.createTable(TABLE, (table) => {
    table.string('owner').notNullable()
    table.string('name').notNullable()
    table.bigInteger('at').notNullable()
    table.primary(['owner', 'name'])
  })
}

async function recordedSteps(knex: Knex): Promise<Set<string>> {
  const rows: { owner: string; name: string }[] = await knex(TABLE).select('owner', 'name')
  return new Set(rows.map(nameOf))
}
