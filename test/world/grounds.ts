// What scenarios stand on: one node with a database in memory, and two nodes over a real Redis and a real
// PostgreSQL, between which the people and their devices are spread.

import { test, type Test } from 'tap'
import { freshPostgres } from './postgres.js'
import { noRedis, TestRedis } from './redis.js'
import { RedisNodes } from './redis-nodes.js'
import type { WorldOptions } from './world.js'

export type Ground = Pick<WorldOptions, 'nodes' | 'cluster' | 'database' | 'spread'>

let redis: Promise<TestRedis> | undefined

async function twoNodes(): Promise<Ground> {
  redis ??= TestRedis.start()
  const { url, ask } = await redis
  await ask.call(await redis, 'flushall')
  const cluster = new RedisNodes(url)
  return { nodes: 2, spread: true, cluster, database: await freshPostgres() }
}

/** The same with one node and with two. */
export function scenario(
  name: string,
  run: (t: Test, ground: () => Promise<Ground>) => Promise<unknown>,
): void {
  test(name, async (t) => {
    await run(t, async () => ({}))
  })
  test(`${name}: two nodes`, noRedis ? { skip: noRedis } : {}, async (t) => {
    await run(t, twoNodes)
  })
}
