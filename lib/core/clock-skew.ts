// How far this machine's clock is from the database's, which all nodes share. Half of the time that a
// question takes is taken for its way there; of several the quickest counts, and no more is said than it can
// prove.

import type { Clock } from '../ops/clock.js'
import type { Database } from '../storage/database.js'

/** Milliseconds that a clock may be off */
export const MOST_SKEW = 1000
const LOOKS = 3
const NOW = 'select extract(epoch from clock_timestamp()) * 1000 as now'

export interface Skew {
  /** Milliseconds that our clock is ahead */
  readonly ahead: number
  /** How far that may be wrong */
  readonly within: number
}

/** Undefined where the database is a file of this machine. */
export async function clockSkew(database: Database, clock: Clock): Promise<Skew | undefined> {
  if (database.kind === 'sqlite') return undefined
  let best: Skew | undefined
  for (let look = 0; look < LOOKS; look++) {
    const skew = await measure(database, clock)
    if (!best || skew.within < best.within) best = skew
  }
  return best
}

async function measure({ knex }: Database, clock: Clock): Promise<Skew> {
  const began = performance.now()
  const [row] = (await knex.raw(NOW)) as { now: string }[]
  const within = (performance.now() - began) / 2
  return { ahead: clock.now() - within - Number(row!.now), within }
}

export function isTooFar({ ahead, within }: Skew): boolean {
  return Math.abs(ahead) - within > MOST_SKEW
}
