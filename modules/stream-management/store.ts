// The SQL of managed sessions. While a session lives its rows are written by the journal alone: here is
// what they look like, how one is found again, and when they go.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import { ask } from '../../lib/storage/questions.js'
import type { Row } from '../../lib/storage/writes.js'
import { GatheredReads } from '../../lib/storage/gathered-reads.js'

export const SESSIONS = 'sm_sessions'
export const COUNTS = 'stream_counts'
export const LIVES = 'sm_lives'

export interface SessionRow {
  readonly number: number
  readonly version: number
  readonly id: string
  readonly account: number
  /** Of a node, in which it lives or lived */
  readonly life: string
  readonly resource: string
  readonly created: number
  /** How long it may be away; 0 where it cannot be resumed */
  readonly timeout: number
  /** Since when it is without a stream; 0 while it has one */
  readonly detached: number
  readonly ended: number
  /** JSON: what modules remember of it */
  readonly state: string
  /** JSON: while it is without a stream, what its client has not acknowledged (written-down.ts) */
  readonly owed: string
}

/** Order matters: the key, then what only grows (storage/writes.ts). */
export function countsRow(
  session: number,
  counts: { handled: number; position: number; requests: string },
): Row {
  const { handled, position, requests } = counts
  return { session, handled, position, requests }
}

export interface StoredSession extends SessionRow {
  readonly handled: number
  readonly position: number
  readonly requests: string
  /** When that was last known to go on */
  readonly seen: number
}

/** Up to where the client of a session has the log of its account */
export interface Position extends Presence {
  readonly account: number
  readonly resource: string
  readonly life: string
  readonly position: number
}

/** By which one knows how long it is away */
export interface Presence {
  readonly timeout: number
  readonly created: number
  readonly detached: number
  /** When its life was last known to go on */
  readonly seen: number
}

/** Since when nobody has heard of it */
export function lastHeard({ detached, seen, created }: Presence): number {
  return detached > 0 ? detached : Math.max(seen, created)
}

const ROW = [
  ...(['number', 'version', 'id', 'account', 'life', 'resource', 'created', 'timeout'] as const),
  ...(['detached', 'ended', 'state', 'owed'] as const),
]
const OF_COUNTS = ['handled', 'position', 'requests'] as const
const COLUMNS = [...ROW, ...OF_COUNTS, 'seen'] as const
const AMONG = {
  sqlite: 'in (select value from json_each(?))',
  postgres: '= any(?::bigint[])',
}

/** All of one moment. */
const FIND = `select ${ROW.map((name) => `s.${name}`)}, ${OF_COUNTS.map((name) => `c.${name}`)}, l.seen
  from ${SESSIONS} as s left join ${COUNTS} as c on c.session = s.number
  left join ${LIVES} as l on l.life = s.life where s.number`

export class SessionStore {
  readonly #database: Database
  readonly #finding = new GatheredReads<StoredSession>((numbers) => this.#find(numbers.map(Number)))

  constructor(database: Database) {
    this.#database = database
  }

  find(number: number): Promise<StoredSession | undefined> {
    return this.#finding.read(String(number))
  }

  async #find(numbers: readonly number[]): Promise<ReadonlyMap<string, StoredSession>> {
    const { kind } = this.#database
    const among = kind === 'sqlite' ? JSON.stringify(numbers) : numbers
    const rows = await ask(this.#database, `${FIND} ${AMONG[kind]}`, [among])
    return new Map(rows.map((row) => [String(row[0]), stored(row)]))
  }

  /** Of one that was claimed */
  async end({ number, version }: SessionRow, ended: number): Promise<void> {
    await this.#database.transaction((trx) =>
      trx(SESSIONS)
        .where({ number, version })
        .update({ ended, state: '', owed: '', version: version + 1 }),
    )
  }

  /** Of sessions of these accounts that have not ended */
  async positions(accounts: readonly number[]): Promise<readonly Position[]> {
    return this.#database
      .reader(SESSIONS)
      .leftJoin(COUNTS, `${COUNTS}.session`, `${SESSIONS}.number`)
      .leftJoin(LIVES, `${LIVES}.life`, `${SESSIONS}.life`)
      .whereIn('account', accounts)
      .where('ended', 0)
      .select(
        `${SESSIONS}.life as life`,
        'account',
        'resource',
        'position',
        'timeout',
        'created',
        'detached',
        'seen',
      )
  }

  /** What ended, or was last heard of, before this moment. */
  async purge(before: number): Promise<void> {
    await this.#database.transaction(async (trx) => {
      const alive = trx(LIVES).select('life').where('seen', '>=', before)
      await trx(SESSIONS)
        .where((ended) => ended.where('ended', '>', 0).where('ended', '<', before))
        .orWhere((left) => left.where('detached', '>', 0).where('detached', '<', before))
        .orWhere((lost) =>
          lost.where('ended', 0).where('created', '<', before).whereNotIn('life', alive),
        )
        .delete()
      await trx(LIVES).where('seen', '<', before).delete()
      await trx(COUNTS).whereNotIn('session', trx(SESSIONS).select('number')).delete()
    })
  }

  async forget(trx: Knex.Transaction, account: number): Promise<void> {
    const numbers = trx(SESSIONS).select('number').where({ account })
    await trx(COUNTS).whereIn('session', numbers).delete()
    await trx(SESSIONS).where({ account }).delete()
  }
}

/** A row of `FIND` */
function stored(values: readonly unknown[]): StoredSession {
  const found = Object.fromEntries(COLUMNS.map((name, at) => [name, values[at]]))
  const { handled, position, requests, seen } = found
  return {
    ...(found as unknown as StoredSession),
    handled: Number(handled ?? 0),
    position: Number(position ?? 0),
    requests: String(requests ?? ''),
    seen: Number(seen ?? 0),
  }
}
