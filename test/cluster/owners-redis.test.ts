// Owners over a real Redis and a real PostgreSQL.

import { test } from 'tap'
import { RedisCluster } from '../../lib/cluster/redis-cluster.js'
import { ownersContract } from '../contracts/owners.js'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { nodesOf } from './owning-nodes.js'

if (noRedis) {
  test('owners over Redis', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()
  const database = await freshPostgres()
  ownersContract('Redis', async (t) => {
    await redis.ask('flushall')
    return nodesOf(t, new RedisCluster(redis.url), database)
  })
  test('stopped', () => redis.stop())
}
