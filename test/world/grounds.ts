// What scenarios stand on: one node with a database in memory, and two nodes over a real Redis and a real
// PostgreSQL, between which the people and their devices are spread.

import { test, type Test } from 'tap'
import { freshPostgres } from './postgres.js'
import { noRedis, TestRedis } from './redis.js'
import { RedisNodes } from './redis-nodes.js'
import { type World, world, type WorldOptions } from './world.js'

export type Ground = Pick<WorldOptions, 'nodes' | 'cluster' | 'database' | 'spread'>

let shared: Promise<TestRedis> | undefined

/** Two nodes over this Redis, emptied, and a database of their own */
async function twoNodesOver(redis: TestRedis): Promise<Ground> {
  await redis.ask('flushall')
  const cluster = new RedisNodes(redis.url)
  return { nodes: 2, cluster, database: await freshPostgres() }
}

/** With every module */
export async function worldOver(t: Test, redis: TestRedis): Promise<World> {
  return world(t, { ...(await twoNodesOver(redis)), modules: 'all' })
}

async function twoNodes(): Promise<Ground> {
  shared ??= TestRedis.start()
  return { ...(await twoNodesOver(await shared)), spread: true }
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
