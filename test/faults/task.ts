// What one run is asked to do.

import type { Failpoint, Promised } from '../../lib/ops/failpoint.js'

export const SERVERS = ['tercet', 'prosody', 'ejabberd'] as const
export type ServerName = (typeof SERVERS)[number]

/** own: what the server brings along: files (Prosody), Mnesia (ejabberd), SQLite (Tercet) */
export const STORES = ['own', 'sqlite', 'postgres'] as const
export type StoreName = (typeof STORES)[number]

/** What is done to several nodes, or to what they stand on */
export const NODE_KINDS = [
  ...(['roam', 'kill-all', 'pause', 'clock', 'descriptors'] as const),
  ...(['redis-kill', 'redis-stop', 'redis-failover', 'redis-mishap'] as const),
  ...(['postgres-stop', 'postgres-locked', 'commit-unknown'] as const),
  ...(['partition', 'partition-postgres', 'partition-clients'] as const),
  ...(['half-open', 'stall', 'slow'] as const),
] as const
export const KINDS = [
  ...(['kill', 'drain', 'postgres-restart', 'disk-full', 'power-loss'] as const),
  ...NODE_KINDS,
] as const
export type Kind = (typeof KINDS)[number]

export interface Task {
  server: ServerName
  store: StoreName
  nodes: number
  what: Kind
  /** How many faults */
  times: number
  failpoint?: Failpoint
  breaking?: Promised
  seed: number
  users: number
  /** Messages in flight per device */
  window: number
  /** Messages between two faults at most */
  burst: number
  /** Messages a second where the load is not bounded by faults */
  rate: number
  /** Connections cut between two faults, on average */
  cuts: number
  carbons: boolean
  /** People are in so many rooms. */
  rooms?: number | undefined
  /** Where runs make their folders */
  folder: string
  keep: boolean
  /** A file for everybody's logs */
  log: string | undefined
}

export function titleOf({ server, store, nodes, ...task }: Task): string {
  const { what, failpoint, breaking, times } = task
  const several = nodes > 1 ? `, ${nodes} nodes` : ''
  const where = (store === 'own' ? '' : ` on ${store}`) + several
  const how = failpoint ? ` at ${failpoint}` : ''
  return `${server}${where}: ${what}${how} × ${times}${breaking ? `, ${breaking}` : ''}`
}
