// Redis goes away under several nodes: it comes back empty, hangs, or is not there for half a minute.
// What is stored and acknowledged meanwhile is as good as ever.

import type { Remarks } from './kill.js'
import { loadedMoment } from './kill.js'
import { during, reached } from './node-faults.js'
import type { Stage } from './stage.js'

const LONG_MS = 30_000
const SHORT_MOST_MS = 3000

/** Killed and started again, with nothing in it */
export async function redisKills(stage: Stage): Promise<Remarks> {
  for (let time = 0; time < stage.task.times; time++)
    await withoutRedis(stage, stage.draw.whole(0, SHORT_MOST_MS))
  return {}
}

/** In turn: it hangs with its connections open, it is not there. */
export async function redisStops(stage: Stage): Promise<Remarks> {
  const redis = stage.grounds.redis!
  for (let time = 0; time < stage.task.times; time++) {
    if (time % 2 === 1) await withoutRedis(stage, LONG_MS)
    else {
      await loadedMoment(stage)
      const begin = () => redis.signal('STOP')
      await during(stage, { ms: LONG_MS, begin, end: () => redis.signal('CONT') })
      await reached(stage)
    }
  }
  return {}
}

async function withoutRedis(stage: Stage, ms: number): Promise<void> {
  const redis = stage.grounds.redis!
  await loadedMoment(stage)
  await during(stage, { ms, begin: () => redis.kill(), end: () => redis.again() })
  await reached(stage)
}
