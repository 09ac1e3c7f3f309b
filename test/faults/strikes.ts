// Which fault is done by what, where nodes are concerned. Some of them may strike one node alone.

import { halfOpen, slowness, stalls } from './client-faults.js'
import type { Remarks } from './kill.js'
import { clockJumps, starvations } from './machine-faults.js'
import { allKilled, nodeKills, pauses, roaming, rollingDrains } from './node-faults.js'
import { partedFromClients, partitions } from './partitions.js'
import { commitsUnknown, postgresLocked, postgresStops } from './postgres-faults.js'
import { redisKills, redisMishaps, redisStops } from './redis-faults.js'
import { redisFailovers } from './redis-pair.js'
import type { Stage } from './stage.js'
import type { Kind } from './task.js'

export type Strike = (stage: Stage) => Promise<Remarks>

const ofAny: Partial<Record<Kind, Strike>> = {
  clock: clockJumps,
  'postgres-stop': postgresStops,
  'postgres-locked': postgresLocked,
  'commit-unknown': commitsUnknown,
  'half-open': halfOpen,
  stall: stalls,
  slow: slowness,
}

const ofSeveral: Partial<Record<Kind, Strike>> = {
  kill: nodeKills,
  'kill-all': allKilled,
  roam: roaming,
  drain: rollingDrains,
  pause: pauses,
  descriptors: starvations,
  'redis-kill': redisKills,
  'redis-stop': redisStops,
  'redis-failover': redisFailovers,
  'redis-mishap': redisMishaps,
  partition: partitions('redis'),
  'partition-postgres': partitions('postgres'),
  'partition-clients': partedFromClients,
}

export const onNodes = (what: Kind, nodes: number): Strike | undefined =>
  ofAny[what] ?? (nodes > 1 ? ofSeveral[what] : undefined)
