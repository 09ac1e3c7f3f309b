// What is done to a cluster with people in rooms: the node that owns the rooms is killed, or hangs; Redis ends, or
// hangs for half a minute. Each says who is to be reached afterwards, and how soon.

import { setTimeout as pause } from 'node:timers/promises'
import type { Node } from './nodes.js'
import { away } from './redis-faults.js'
import type { RoomCrowd } from './room-crowd.js'
import { type Stage, until } from './stage.js'
import type { Kind } from './task.js'

const QUIET_LIMIT_MS = 40_000
const REDIS_SHORT_MS = 2000
const REDIS_LONG_MS = 30_000
const SOON_MS = 5000
/** Until the lease of whoever hangs has ended, or Redis is believed again */
const LATER_MS = 15_000

export interface Harmed {
  /** Whoever is on that node is not to be reached; -1: everybody is. */
  readonly dead: number
  readonly limitMs: number
  /** Once everybody was reached */
  mend(): void | Promise<void>
}

type Harm = (stage: Stage, crowd: RoomCrowd, node: Node) => Promise<Harmed>

const kill: Harm = async ({ nodes }, crowd, node) => {
  await node.kill()
  if (nodes.all.length > 1) return { dead: node.index, limitMs: SOON_MS, mend: () => node.start() }
  await node.start()
  await until(() => crowd.guests.every(({ ready }) => ready), QUIET_LIMIT_MS)
  return { dead: -1, limitMs: SOON_MS, mend: () => {} }
}

const hang: Harm = async (_stage, _crowd, node) => {
  node.freeze()
  return { dead: node.index, limitMs: LATER_MS, mend: () => node.thaw() }
}

const withoutRedis =
  (ms: number): Harm =>
  async (stage) => {
    const { begin, end } = away(stage, ms)
    begin()
    await pause(ms)
    await end()
    return { dead: -1, limitMs: LATER_MS, mend: () => {} }
  }

export const roomHarms: Partial<Record<Kind, Harm>> = {
  kill,
  pause: hang,
  'redis-kill': withoutRedis(REDIS_SHORT_MS),
  'redis-stop': withoutRedis(REDIS_LONG_MS),
}
