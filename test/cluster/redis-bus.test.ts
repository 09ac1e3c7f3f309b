// What a bus over a real Redis does beside what every bus promises: for whom a batch is, who is told that it
// may have missed something, and what waits for a Redis that is slow.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { Membership } from '../../lib/cluster/membership.js'
import { RedisBus } from '../../lib/cluster/redis-bus.js'
import { RedisLink } from '../../lib/cluster/redis-link.js'
import { silentLog } from '../../lib/ops/log.js'
import { ManualClock } from '../world/clock.js'
import { noRedis, TestRedis } from '../world/redis.js'

if (noRedis) {
  test('a bus over Redis', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const scene = async (t: Test) => {
    await redis.ask('flushall')
    const [secret, clock] = [randomBytes(32), new ManualClock()]
    const join = async (node: string, life: string) => {
      const link = await RedisLink.open(redis.url, silentLog)
      const membership = new Membership({ self: { node, life }, link, clock })
      const bus = await RedisBus.open({ link, membership, secret, clock, log: silentLog })
      t.teardown(() => bus.close(true))
      const got: string[] = []
      const repairs: number[] = []
      bus.onFrame((_, frame) => void got.push(String(frame.subarray(0, 100))))
      bus.onMissed(async (since) => void repairs.push(since))
      return { bus, membership, link, got, repairs }
    }
    return { clock, join }
  }

  /** Redis is another process: what it will say takes a moment. */
  const until = async (look: () => unknown): Promise<void> => {
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  const text = (value: string) => Buffer.from(value)

  test('what is for an earlier life of a node is for nobody', async (t) => {
    const { join } = await scene(t)
    const a = await join('a', 'of-a')
    const old = await join('b', 'first')
    await a.membership.say()
    const tap = new Redis(redis.url)
    t.teardown(() => tap.disconnect())
    const batches: Buffer[] = []
    tap.on('smessageBuffer', (_channel, bytes: Buffer) => void batches.push(bytes))
    await tap.ssubscribe('tercet:b:{b}')
    for (const frame of ['one', 'two']) await a.bus.send('b', text(frame))
    await until(() => old.got.length === 2)
    await tap.ping()
    t.ok(batches.length >= 2)
    await old.bus.close(true)
    const again = await join('b', 'second')
    const anybody = new Redis(redis.url)
    t.teardown(() => anybody.disconnect())
    for (const bytes of [...batches]) await anybody.spublish('tercet:b:{b}', bytes)
    await a.membership.say()
    t.equal(await a.bus.send('b', text('three')), true)
    await until(() => again.got.length > 0)
    t.strictSame(again.got, ['three'])
  })

  test('nodes that meet look once at what they may have missed, though nobody says anything', async (t) => {
    const { clock, join } = await scene(t)
    const began = clock.now()
    const a = await join('a', 'of-a')
    clock.advance(1000)
    const b = await join('b', 'of-b')
    await until(() => a.repairs.length > 0 && b.repairs.length > 0)
    t.ok(a.bus.nodes().includes('b'))
    for (let times = 0; times < 3; times++) {
      for (const { membership, link } of [a, b]) {
        await membership.say()
        await link.listener.ping()
      }
    }
    t.strictSame(a.repairs, [began])
    t.strictSame(b.repairs, [began + 1000])
  })

  test('who was deaf is so since it was last certain of anything', async (t) => {
    const { clock, join } = await scene(t)
    const a = await join('a', 'of-a')
    t.strictSame(a.repairs, [])
    await redis.ask('client', 'kill', 'type', 'pubsub')
    await until(() => a.repairs.length > 0)
    t.ok(a.repairs[0]! < clock.now())
  })

  test('the end of a life that is heard of late does not end the next one', async (t) => {
    const { join } = await scene(t)
    const a = await join('a', 'of-a')
    const old = await join('b', 'first')
    await until(() => a.bus.nodes().includes('b'))
    let repaired: () => void = () => {}
    a.bus.onMissed(() => new Promise((resolve) => (repaired = resolve)))
    a.bus.missed(1)
    await old.bus.close()
    await join('b', 'second')
    await a.membership.say()
    await a.link.listener.ping()
    const gone: string[] = []
    a.membership.onGone(({ life }) => void gone.push(life))
    for (let times = 0; times < 3; times++) {
      repaired()
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.strictSame(gone, [])
    t.equal(a.membership.lifeOf('b'), 'second')
  })

  test('what waits for Redis is bounded: beyond it whoever missed it reads it (LIM-bus-under-way)', async (t) => {
    const { clock, join } = await scene(t)
    const a = await join('a', 'of-a')
    const b = await join('b', 'of-b')
    await a.membership.say()
    await until(() => b.repairs.length > 0)
    const before = b.repairs.length
    redis.signal('STOP')
    t.teardown(() => redis.signal('CONT'))
    const frame = Buffer.alloc(23 * 1024 * 1024)
    const sent: (boolean | undefined)[] = [undefined, undefined, undefined, undefined]
    for (const at of sent.keys()) {
      void Promise.resolve(a.bus.send('b', frame)).then((arrived) => (sent[at] = arrived))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => sent[3] !== undefined)
    t.strictSame(sent, [undefined, undefined, undefined, false])
    redis.signal('CONT')
    await until(() => {
      clock.advance(1000)
      return b.repairs.length > before
    })
  })

  test('what is for all is one command, whoever many they are', async (t) => {
    const { join } = await scene(t)
    const nodes = []
    for (const node of ['a', 'b', 'c', 'd']) nodes.push(await join(node, `of-${node}`))
    const [a, ...others] = nodes
    // Until all know each other, and have said so.
    for (let times = 0; times < 3; times++)
      for (const { membership, link } of nodes) {
        await membership.say()
        await Promise.all([link.commands.ping(), link.listener.ping()])
      }
    await redis.ask('config', 'resetstat')
    for (const frame of ['one', 'two']) a!.bus.sendAll(text(frame))
    await until(() => others.every(({ got }) => got.length === 2))
    t.match(await redis.ask('info', 'commandstats'), /cmdstat_spublish:calls=1,/)
  })

  test('who does not hear what is for all is gone, and nobody else', async (t) => {
    const { join } = await scene(t)
    const [a, b, c] = [await join('a', 'of-a'), await join('b', 'of-b'), await join('c', 'of-c')]
    await a.membership.say()
    const gone: string[] = []
    a.membership.onGone(({ node }) => void gone.push(node))
    c.link.listener.disconnect()
    const listening = () => redis.ask('pubsub', 'shardnumsub', 'tercet:everybody')
    for (let count = 3; count !== 2; ) count = ((await listening()) as [string, number])[1]
    a.bus.sendAll(text('one'))
    await until(() => gone.length > 0 && b.got.length > 0)
    t.strictSame(gone, ['c'])
    a.bus.sendAll(text('two'))
    await until(() => b.got.length === 2)
    t.strictSame([...a.bus.nodes()].sort(), ['a', 'b'])
  })

  test('stopped', () => redis.stop())
}
