// Whether a connection to Redis is asked for a sign of life.

import { mock } from 'node:test'
import type { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { watched } from '../../lib/cluster/redis-clients.js'

/** Time that passes only here, for timers and for `performance.now()` */
function timeless(t: Test) {
  const now = performance.now.bind(performance)
  let at = 0
  Object.assign(performance, { now: () => at })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => {
    mock.timers.reset()
    Object.assign(performance, { now })
  })
  return async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      at += 100
      mock.timers.tick(100)
      await Promise.resolve()
    }
  }
}

function connection(answers = true) {
  const seen = { pings: 0, ended: 0 }
  const redis = {
    status: 'ready',
    on: () => undefined,
    ping: async () => {
      seen.pings++
      if (!answers) throw new Error('Command timed out')
    },
    disconnect: () => void seen.ended++,
  }
  return { seen, redis: redis as unknown as Redis }
}

test('who says nothing else is asked every three seconds, and left where there is no answer', async (t) => {
  const pass = timeless(t)
  const [alive, hanging] = [connection(), connection(false)]
  const heard: number[] = []
  watched(alive.redis, { heard: (at) => void heard.push(at) })
  watched(hanging.redis, {})
  await pass(9000)
  t.strictSame(heard, [3000, 6000, 9000])
  t.strictSame(alive.seen, { pings: 3, ended: 0 })
  t.strictSame(hanging.seen, { pings: 3, ended: 3 })
})

test('who answers other things is asked three seconds after the last one was sent', async (t) => {
  const pass = timeless(t)
  const { redis, seen } = connection()
  let answered = 0
  watched(redis, { answered: () => answered })
  for (let second = 0; second < 10; second++) {
    await pass(1000)
    answered = performance.now()
  }
  t.equal(seen.pings, 0)
  await pass(2900)
  t.equal(seen.pings, 0)
  await pass(100)
  t.equal(seen.pings, 1)
})
