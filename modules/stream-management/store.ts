// The SQL of managed sessions. While a session lives its rows are written by the journal alone: here is
// what they look like, how one is found again, and when they go.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import type { Row } from '../../lib/storage/writes.js'

export const SESSIONS = 'sm_sessions'
export const COUNTS = 'stream_counts'
export const NODES = 'sm_nodes'

export interface SessionRow {
  readonly number: number
  readonly version: number
  readonly id: string
  readonly account: number
  readonly node: string
  readonly resource: string
  readonly created: number
  /** How long it may be away; 0 where it cannot be resumed */
  readonly timeout: number
  /** Since when it is without a stream; 0 while it has one */
  readonly detached: number
  readonly ended: number
  /** JSON: what modules remember of it */
  readonly state: string
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
  /** When its node was last known to run */
  readonly seen: number
}

export class SessionStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async find(number: number): Promise<StoredSession | undefined> {
    const { reader } = this.#database
    const row = await reader(SESSIONS).where({ number }).first()
    if (!row) return undefined
    const counts = await reader(COUNTS).where({ session: number }).first()
    const node = await reader(NODES).where({ node: row.node }).first()
    return {
      ...row,
      handled: counts?.handled ?? 0,
      position: counts?.position ?? 0,
      requests: counts?.requests ?? '',
      seen: node?.seen ?? 0,
    }
  }

  /** What ended, or was last heard of, before this moment. */
  async purge(before: number): Promise<void> {
    await this.#database.transaction(async (trx) => {
      const alive = trx(NODES).select('node').where('seen', '>=', before)
      await trx(SESSIONS)
        .where((ended) => ended.where('ended', '>', 0).where('ended', '<', before))
        .orWhere((left) => left.where('detached', '>', 0).where('detached', '<', before))
        .orWhere((lost) => lost.where('ended', 0).whereNotIn('node', alive))
        .delete()
      await trx(NODES).where('seen', '<', before).delete()
      await trx(COUNTS).whereNotIn('session', trx(SESSIONS).select('number')).delete()
    })
  }

  async forget(trx: Knex.Transaction, account: number): Promise<void> {
    const numbers = trx(SESSIONS).select('number').where({ account })
    await trx(COUNTS).whereIn('session', numbers).delete()
    await trx(SESSIONS).where({ account }).delete()
  }
}
