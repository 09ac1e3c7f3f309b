// Bus and directory over a real Redis.

import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'tap'
import { Membership } from '../../lib/cluster/membership.js'
import { RedisBus } from '../../lib/cluster/redis-bus.js'
import { RedisDirectory } from '../../lib/cluster/redis-directory.js'
import { RedisLink } from '../../lib/cluster/redis-link.js'
import { systemClock } from '../../lib/ops/clock.js'
import { silentLog } from '../../lib/ops/log.js'
import { busContract } from '../contracts/bus.js'
import { directoryContract } from '../contracts/directory.js'
import { noRedis, TestRedis } from '../world/redis.js'

if (noRedis) {
  test('everything over Redis', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()
  const links: RedisLink[] = []

  const connect = async (): Promise<RedisLink> => {
    const link = await RedisLink.open(redis.url, silentLog)
    links.push(link)
    return link
  }

  const join = async (node: string, secret: Buffer): Promise<RedisBus> => {
    const link = await connect()
    const self = { node, life: randomUUID() }
    const clock = systemClock
    const membership = new Membership({ self, link, clock })
    return RedisBus.open({ link, membership, secret, clock, log: silentLog })
  }

  const view = async (node: string): Promise<RedisDirectory> => {
    const [link, asker] = [await connect(), await connect()]
    const clock = systemClock
    const members = new Membership({ self: { node, life: `life-of-${node}` }, link: asker, clock })
    for (const other of ['a', 'b'])
      await redis.ask('zadd', 'tercet:nodes', '1e15', `${other} life-of-${other}`)
    await members.say()
    return new RedisDirectory({ link, members, clock })
  }

  /** What was sent before this has arrived: Redis keeps the order, and so does each connection. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      // Who has been closed answers no more.
      const asked = links.flatMap(({ commands, listener }) => [commands.ping(), listener.ping()])
      await Promise.allSettled(asked)
    }
  }

  busContract('over Redis', {
    async open(nodes) {
      await redis.ask('flushall')
      const secret = randomBytes(32)
      const buses: RedisBus[] = []
      for (const node of nodes) buses.push(await join(node, secret))
      await settle()
      return buses
    },
    settle,
  })

  directoryContract('over Redis', {
    async open(count) {
      await redis.ask('flushall')
      return Promise.all(Array.from({ length: count }, (_, at) => view('ab'[at]!)))
    },
  })

  test('stopped', async () => {
    for (const link of links) link.close()
    await redis.stop()
  })
}
