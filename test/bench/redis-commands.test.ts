// What Redis is said to have been asked, against what it was asked.

import { Redis } from 'ioredis'
import { test } from 'tap'
import { commandFigures, commandsIn, RedisCommands } from '../../bench/redis-commands.js'
import { noRedis, TestRedis } from '../world/redis.js'

const counts = (calls: Record<string, number>, bytes = 0) => ({
  calls: new Map(Object.entries(calls)),
  bytes,
})

test('commands are counted for each unit of work, heartbeats apart, our own not', (t) => {
  const before = counts({ spublish: 10, xadd: 1, info: 1 }, 1000)
  const after = counts({ spublish: 30, xadd: 3, xrange: 2, info: 2, hset: 10 }, 3000)
  const figures = commandFigures(before, after, 2)
  t.equal(figures.redis, 17)
  t.equal(figures.redisWithout, 15)
  t.equal(figures.redisBytes, 1000)
  t.equal(commandsIn(figures), 'spublish 10.000, hset 5.000, xadd 1.000, xrange 1.000')
  t.end()
})

test('what a script calls inside counts as Redis counts it', {
  skip: noRedis ?? false,
}, async (t) => {
  const redis = await TestRedis.start()
  t.teardown(() => redis.stop())
  const commands = await RedisCommands.open(redis.url)
  const client = new Redis(redis.url)
  t.teardown(() => {
    commands.close()
    client.disconnect()
  })
  await client.ping()
  const before = await commands.counts()
  await client.eval("redis.call('ZADD', KEYS[1], 1, 'a'); return redis.call('TIME')", 1, 'nodes')
  await client.spublish('channel', 'x'.repeat(1000))
  const figures = commandFigures(before, await commands.counts(), 1)
  t.equal(figures.redis, 4, commandsIn(figures))
  t.equal(figures.redisWithout, 4, 'none of them is a heartbeat')
  t.ok(figures.redisBytes! > 1000)
})
