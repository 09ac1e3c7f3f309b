// Who is there, as a real Redis keeps it.

import { test, type Test } from 'tap'
import { LEASE, Membership } from '../../lib/cluster/membership.js'
import { RedisLink } from '../../lib/cluster/redis-link.js'
import { silentLog } from '../../lib/ops/log.js'
import { ManualClock } from '../world/clock.js'
import { noRedis, TestRedis } from '../world/redis.js'

if (noRedis) {
  test('membership', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const open = async (t: Test, node: string, life = `life-of-${node}`) => {
    const link = await RedisLink.open(redis.url, silentLog)
    t.teardown(() => link.close())
    const clock = new ManualClock()
    return { membership: new Membership({ self: { node, life }, link, clock }), clock }
  }

  /** As if all leases had ended. */
  const lapse = () => redis.ask('del', 'tercet:members')

  test('nodes know each other from one word to the next; who leaves is gone', async (t) => {
    const { membership: a } = await open(t, 'a')
    const { membership: b } = await open(t, 'b')
    t.strictSame(a.nodes(), ['a'])
    await a.join()
    await b.join()
    t.strictSame([...b.nodes()].sort(), ['a', 'b'])
    t.strictSame(a.nodes(), ['a'])
    await a.say()
    t.strictSame([...a.nodes()].sort(), ['a', 'b'])
    t.equal(a.lifeOf('b'), 'life-of-b')
    await b.leave()
    await a.say()
    t.strictSame(a.nodes(), ['a'])
    await a.leave()
  })

  test('it says so again and again; whose lease had ended learns it, once', async (t) => {
    const { membership: a, clock } = await open(t, 'a')
    let lapsed = 0
    a.onLapse(() => lapsed++)
    await a.join()
    await a.say()
    t.equal(lapsed, 0)
    await lapse()
    clock.advance(5000)
    await a.say()
    await a.say()
    t.equal(lapsed, 1)
    await a.leave()
  })

  test('whose lease has ended is not there, and what he said is kept by nobody', async (t) => {
    await redis.ask('del', 'tercet:members')
    await redis.ask('xadd', 'tercet:members', '1-1', 'here', 'c life-of-c')
    const { membership: a } = await open(t, 'a')
    await a.join()
    t.strictSame(a.nodes(), ['a'])
    await a.say()
    const texts = JSON.stringify(await redis.ask('xrange', 'tercet:members', '-', '+'))
    t.match(texts, /life-of-a/)
    t.notMatch(texts, /life-of-c/)
    await a.leave()
  })

  test('it speaks again after Redis was emptied, though its clock was set back', async (t) => {
    await redis.ask('del', 'tercet:members')
    const ahead = `${Date.now() + 3_600_000}-0`
    await redis.ask('xadd', 'tercet:members', ahead, 'here', 'c life-of-c')
    const { membership: a } = await open(t, 'a')
    await a.say()
    t.strictSame([...a.nodes()].sort(), ['a', 'c'])
    await redis.ask('del', 'tercet:members')
    await t.rejects(a.say())
    await a.say()
    t.strictSame(a.nodes(), ['a'])
    await a.leave()
  })

  test('of a node that was started again only its new life counts', async (t) => {
    const { membership: old } = await open(t, 'a', 'first')
    const { membership: b } = await open(t, 'b')
    await old.join()
    const { membership: again } = await open(t, 'a', 'second')
    await again.join()
    await b.join()
    t.equal(b.lifeOf('a'), 'second')
    for (const membership of [old, again, b]) await membership.leave()
  })

  test('who has just come is not sure of the others for a lease: they may not have said so yet', async (t) => {
    const { membership: a, clock } = await open(t, 'a')
    t.equal(a.sure, false)
    await a.join()
    clock.advance(LEASE - 1)
    await a.say()
    t.equal(a.sure, false)
    clock.advance(1)
    t.equal(a.sure, true)
    await a.leave()
  })

  test('nor is who could not say so for so long that leases of others may have ended', async (t) => {
    const { membership: a, clock } = await open(t, 'a')
    const now = performance.now.bind(performance)
    t.teardown(() => Object.assign(performance, { now }))
    const later = (ms: number) => Object.assign(performance, { now: () => now() + ms })
    await a.join()
    clock.advance(LEASE)
    later(5000)
    await a.say()
    t.equal(a.sure, true)
    later(14_000)
    await a.say()
    t.equal(a.sure, false)
    clock.advance(LEASE)
    t.equal(a.sure, true)
    await a.leave()
  })

  test('when Redis is there again it says so at once', async (t) => {
    const { membership: a, clock } = await open(t, 'a')
    await a.join()
    clock.advance(LEASE)
    await a.say()
    redis.kill()
    while (!a.cutOff) await new Promise((resolve) => setTimeout(resolve, 5))
    await redis.again()
    while (a.cutOff || Number(await redis.ask('xlen', 'tercet:members')) === 0)
      await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(a.sure, false)
    await a.leave()
  })

  test('stopped', () => redis.stop())
}
