// Bus and directory over a real Redis.

import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'tap'
import { Membership } from '../../lib/cluster/membership.js'
import { RedisBus } from '../../lib/cluster/redis-bus.js'
import type { Members } from '../../lib/cluster/cluster.js'
import { RedisDirectory } from '../../lib/cluster/redis-directory.js'
import { RedisLink } from '../../lib/cluster/redis-link.js'
import { type Clock, systemClock } from '../../lib/ops/clock.js'
import { silentLog } from '../../lib/ops/log.js'
import { busContract } from '../contracts/bus.js'
import { directoryContract } from '../contracts/directory.js'
import { ManualClock } from '../world/clock.js'
import { noRedis, TestRedis } from '../world/redis.js'

/** A directory whose questions stay open until the test answers them */
function asking() {
  const answers: ((found: Record<string, string> | undefined) => void)[] = []
  const attempt = () => new Promise((resolve) => answers.push(resolve))
  const link = { attempt, whenUp: () => undefined } as unknown as RedisLink
  const self = { node: 'a', life: 'life of a' }
  const members = { self, lifeOf: () => 'life of b', onGone: () => undefined } as unknown as Members
  const directory = new RedisDirectory({ link, members, clock: new ManualClock() })
  return { directory, answers }
}

const ROMEO = 'romeo@capulet.example'
const found = { id: JSON.stringify(['b', 'life of b', 'phone', 1, 0]) }

test('nobody is answered sooner than who asked before him, whatever is learned meanwhile (RFC 6120 §10.1)', async (t) => {
  const place = { id: '1', node: 'a', resource: 'x', available: true, priority: 0 }
  const learned: Record<string, (directory: RedisDirectory) => unknown> = {
    doubted: (directory) => directory.doubt(ROMEO),
    'all doubted': (directory) => directory.doubt(),
    alone: (directory) => directory.alone(ROMEO),
    learned: (directory) => void directory.put(ROMEO, place),
  }
  for (const [what, learn] of Object.entries(learned)) {
    const { directory, answers } = asking()
    const order: string[] = []
    const ask = (name: string) =>
      Promise.resolve(directory.lookup(ROMEO)).then(() => void order.push(name))
    const first = ask('first')
    learn(directory)
    const second = ask('second')
    for (const answer of answers.slice(1)) answer(found)
    await new Promise(setImmediate)
    t.same(order, [], what)
    answers[0]!(found)
    await Promise.all([first, second])
    t.same(order, ['first', 'second'], what)
    await directory.close()
  }
})

test('once they are answered, what is remembered is at hand', async (t) => {
  const { directory, answers } = asking()
  const asked = directory.lookup(ROMEO)
  directory.alone(ROMEO)
  const then = directory.lookup(ROMEO)
  answers[0]!(found)
  await Promise.all([asked, then])
  t.same(directory.lookup(ROMEO), [])
  await directory.close()
})

test('that Redis does not say what a life left behind is not that it left nothing', async (t) => {
  const { directory, answers } = asking()
  const unknown = directory.left(ROMEO, 'life of b')
  const known = directory.left(ROMEO, 'life of b')
  answers[0]!(undefined)
  answers[1]!(found)
  t.equal(await unknown, undefined)
  t.match(await known, [{ id: 'id', resource: 'phone' }])
  await directory.close()
})

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

  const view = async (node: string, clock: Clock = systemClock): Promise<RedisDirectory> => {
    const [link, asker] = [await connect(), await connect()]
    const members = new Membership({ self: { node, life: `life-of-${node}` }, link: asker, clock })
    for (const other of ['a', 'b'])
      await redis.ask('xadd', 'tercet:members', '*', 'here', `${other} life-of-${other}`)
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

  const calls = async (): Promise<Map<string, number>> => {
    const stats = String(await redis.ask('info', 'commandstats'))
    const lines = stats.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)
    return new Map([...lines].map(([, name, count]) => [name!, Number(count)]))
  }

  test('a place is one command; from the first renewal on it ends by itself', async (t) => {
    await redis.ask('flushall')
    const directory = await view('a')
    const place = { id: '1', node: 'a', resource: 'x', available: false, priority: 0 }
    const key = 'tercet:s:{romeo@capulet.example}'
    await redis.ask('config', 'resetstat')
    await directory.put(ROMEO, place)
    await directory.put(ROMEO, { ...place, available: true })
    t.equal((await calls()).get('hset'), 2)
    t.notOk((await calls()).has('pexpire'))
    t.equal(await redis.ask('pttl', key), -1)
    await directory.renew()
    t.ok(Number(await redis.ask('pttl', key)) > 3_000_000)
    await directory.close()
  })

  test('a Redis that is full: own sessions are there all the same, and others learn of them when it takes something again', async (t) => {
    await redis.ask('flushall')
    const clock = new ManualClock()
    const [here, there] = [await view('a', clock), await view('b')]
    const place = { id: '1', node: 'a', resource: 'x', available: true, priority: 0 }
    await redis.ask('config', 'set', 'maxmemory', '1')
    t.same(await here.lookup(ROMEO), [])
    await here.put(ROMEO, place)
    t.same(await here.lookup(ROMEO), [place], 'remembered')
    here.doubt(ROMEO)
    t.same(await here.lookup(ROMEO), [place], 'asked for')
    t.same(await there.lookup(ROMEO), [])
    const seen = async (): Promise<number> => {
      clock.advance(4000)
      await settle()
      there.doubt()
      return (await there.lookup(ROMEO)).length
    }
    t.equal(await seen(), 0, 'it is full still')
    await redis.ask('config', 'set', 'maxmemory', '0')
    t.equal(await seen(), 1)
    t.equal(clock.waiting, 1, 'nothing is left to be said but the next renewal')
    await Promise.all([here.close(), there.close()])
  })

  test('a node says that it is there, and learns who else is, with two commands', async (t) => {
    const link = await connect()
    const self = { node: 'c', life: 'of c' }
    const membership = new Membership({ self, link, clock: systemClock })
    await membership.say()
    await redis.ask('config', 'resetstat')
    await membership.say()
    const made = await calls()
    t.same([made.get('xadd'), made.get('xrange')], [1, 1])
    t.notOk(['eval', 'time', 'zadd', 'zrange'].some((name) => made.has(name)))
    await membership.leave()
  })

  test('stopped', async () => {
    for (const link of links) link.close()
    await redis.stop()
  })
}
