// Redis goes away under several nodes: it comes back empty, hangs, is not there for half a minute, or is
// there and does not do what it is asked. What is stored and acknowledged meanwhile is as good as ever.

import type { TestRedis } from '../world/redis.js'
import type { Remarks } from './kill.js'
import type { Stage } from './stage.js'
import { type Trouble, troubles } from './trouble.js'

const LONG_MS = 30_000
const SHORT_MOST_MS = 3000
const ASLEEP_S = 5

/** Killed and started again, with nothing in it */
export function redisKills(stage: Stage): Promise<Remarks> {
  return troubles(stage, () => away(stage, stage.draw.whole(0, SHORT_MOST_MS)))
}

/** In turn: it hangs with its connections open, it is not there. */
export function redisStops(stage: Stage): Promise<Remarks> {
  const redis = stage.grounds.redis!
  const hangs = {
    ms: LONG_MS,
    begin: () => redis.signal('STOP'),
    end: () => redis.signal('CONT'),
  }
  return troubles(stage, (_, time) => (time % 2 === 1 ? away(stage, LONG_MS) : hangs))
}

export function away({ grounds: { redis } }: Stage, ms: number): Trouble {
  return { ms, begin: () => redis!.kill(), end: () => redis!.again() }
}

/** What an operator, or a lack of memory, does to a Redis that runs on, in turn */
export function redisMishaps(stage: Stage): Promise<Remarks> {
  const redis = stage.grounds.redis!
  return troubles(stage, (_, time) => mishaps[time % mishaps.length]!(redis))
}

const mishaps: readonly ((redis: TestRedis) => Trouble)[] = [
  // It takes no writes and still carries what nodes say to each other.
  (redis) => ({
    ms: 20_000,
    begin: () => redis.ask('config', 'set', 'maxmemory', '1'),
    end: async () => void (await redis.ask('config', 'set', 'maxmemory', '0')),
  }),
  (redis) => ({ ms: 3000, begin: () => redis.ask('flushall'), end: () => {} }),
  (redis) => ({
    ms: 3000,
    begin: async () => {
      for (const kind of ['normal', 'pubsub']) await redis.ask('client', 'kill', 'type', kind)
    },
    end: () => {},
  }),
  // It answers nobody until the time is over.
  (redis) => ({
    ms: LONG_MS,
    begin: () => redis.ask('client', 'pause', String(LONG_MS), 'all'),
    end: () => {},
  }),
  (redis) => ({
    ms: ASLEEP_S * 1000,
    begin: () => void redis.ask('debug', 'sleep', String(ASLEEP_S)).catch(() => {}),
    end: () => {},
  }),
]
