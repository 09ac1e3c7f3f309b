// Who is there, as a real Redis keeps it.

import { test, type Test } from 'tap'
import { Membership } from '../../lib/cluster/membership.js'
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

  /** As if its lease had ended. */
  const lapses = (node: string) => redis.ask('zrem', 'tercet:nodes', `${node} life-of-${node}`)

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
    await lapses('a')
    clock.advance(5000)
    await a.say()
    await a.say()
    t.equal(lapsed, 1)
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

  test('stopped', () => redis.stop())
}
