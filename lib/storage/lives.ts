// Lives of nodes, as the database knows them: whoever fences one is certain that nothing more is written by
// it. Every transaction of a journal puts its number into the row of its life (commit-mark.ts); of a life
// that is over that row takes none. Whoever fences waits for the lock that a transaction under way has on
// the row, so that one is there as a whole or not at all. What must not be written by a life that is over
// goes through its journal: transactions beside it are not held back.
//
// On SQLite nothing holds a life back: the file has one process, and what that process is no more nobody
// takes over beside it. The row says the same there, for whoever asks.

import { connectionName, type Database } from './database.js'
import type { Migration } from './migrations.js'
import { FENCED } from './trouble.js'

export const COMMITS = 'commits'

const LOCK_NOT_AVAILABLE = '55P03'
const TERMINATE = `
  select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = ? and pid <> pg_backend_pid()`

const FUNCTION = `
  create function refuse_fenced_life() returns trigger language plpgsql as $$
  begin
    raise exception 'this life is over' using errcode = '${FENCED}';
  end $$`

const TRIGGER = `
  create trigger fenced_life before update of number on ${COMMITS}
    for each row when (old.alive = 0) execute function refuse_fenced_life()`

export const livesMigration: Migration = {
  name: 'lives that are over',
  async up(schema, trx) {
    await schema.alterTable(
      COMMITS,
      (table) => void table.smallint('alive').notNullable().defaultTo(1),
    )
    if (trx.client.dialect !== 'postgresql') return
    await trx.raw(FUNCTION)
    await trx.raw(TRIGGER)
  },
}

/**
 * When it resolves, that life has written all that it will ever write. A transaction of it that does not end
 * within `patience` milliseconds (its process stands still, its machine is away) is ended with its connection.
 */
export async function fence(database: Database, life: string, patience = 2000): Promise<void> {
  try {
    await end(database, life, patience)
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error
    await database.knex.raw(TERMINATE, [connectionName(life)])
    await end(database, life, 0)
  }
}

function end(database: Database, life: string, patience: number): Promise<void> {
  return database.transaction(async (trx) => {
    if (database.kind === 'postgres')
      await trx.raw("select set_config('lock_timeout', ?, true)", [`${patience}ms`])
    const over = { journal: life, number: 0, at: Date.now(), alive: 0 }
    await trx(COMMITS).insert(over).onConflict('journal').merge(['alive', 'at'])
  })
}

export async function isFenced({ knex }: Pick<Database, 'knex'>, life: string): Promise<boolean> {
  const row: { alive: number } | undefined = await knex(COMMITS)
    .where({ journal: life })
    .first('alive')
  return row?.alive === 0
}
