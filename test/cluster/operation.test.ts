// Operating nodes over a real Redis and a real PostgreSQL: clients of a drained node go on elsewhere, health
// follows Redis, clocks are measured against the database.

import { test } from 'tap'
import { clockSkew, isTooFar } from '../../lib/core/clock-skew.js'
import { systemClock } from '../../lib/ops/clock.js'
import { bodies, chat, enable, resumes, SM } from '../modules/stream-management/sm-world.js'
import type { Client } from '../world/client.js'
import { DOMAIN, type World } from '../world/world.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { counted, JULIET, present, ROMEO, twoNodes } from './moving-world.js'

if (noRedis) {
  test('operating nodes', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  interface Device {
    client: Client
    readonly id: string
    h: number
    readonly got: string[]
  }

  const takes = (device: Device): void => {
    device.h += counted(device.client)
    device.got.push(...bodies(device.client).filter(Boolean))
    device.client.inbox = []
  }

  const movesOn = async (w: World, device: Device): Promise<void> => {
    takes(device)
    device.client = await resumes(w, 'romeo', { id: device.id, h: device.h, node: 0 })
    await device.client.finds(`<resumed ${SM} previd='${device.id}'/>`)
  }

  const appears = async (look: () => boolean): Promise<void> => {
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  test('who is drained resumes elsewhere and has lost nothing (XEP-0198 §5)', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    juliet.sends(chat(ROMEO, 'before'))
    await w.settle()
    const ms = await w.servers[0]!.operation.drain('node1', { spread: 0 })
    t.equal(ms, 0)
    await w.settle()
    t.ok(phone.streamError?.getChild('system-shutdown'))
    t.equal(w.servers[1]!.operation.phase, 'drained')
    juliet.sends(chat(ROMEO, 'while it is nowhere'))
    await w.settle()
    const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    await again.receives(`<resumed ${SM} previd='${id}'/>`)
    t.same(bodies(again).filter(Boolean), ['before', 'while it is nowhere'])
    await w.servers[1]!.stop()
    juliet.sends(chat(ROMEO, 'after'))
    await w.settle()
    t.same(bodies(again).filter(Boolean).at(-1), 'after')
    again.sends(chat(JULIET, 'here I am'))
    await w.settle()
    t.same(bodies(juliet).filter(Boolean), ['here I am'])
  })

  test('a drain under load loses nothing, doubles nothing and keeps the order', async (t) => {
    const { w } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    const devices: Device[] = []
    for (let n = 0; n < 6; n++) {
      const client = await w.device('romeo', `device${n}`, { node: 1 })
      await client.comesOnline()
      const id = await enable(client)
      await client.clears()
      devices.push({ client, id, h: 0, got: [] })
    }
    const sent: string[] = []
    await w.servers[0]!.operation.drain('node1', { spread: 600 })
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 10; n++) {
        sent.push(`m${sent.length}`)
        juliet.sends(chat(ROMEO, sent.at(-1)!))
      }
      if (round % 2 === 1) w.clock.advance(100)
      for (const [n, device] of devices.entries()) {
        device.client.sends(chat(JULIET, `${n} ${round}`))
        if (device.client.streamError) await movesOn(w, device)
      }
    }
    await w.settle()
    t.equal(w.servers[1]!.operation.phase, 'drained')
    t.equal(w.servers[1]!.hosts.get(DOMAIN)!.sessions.size, 1, 'the phone of before waits still')
    for (const device of devices) {
      takes(device)
      t.strictSame(device.got, sent)
    }
  })

  test('without Redis a node is ready, but not as well as it should be', async (t) => {
    const { w } = await twoNodes(t, redis)
    const { operation } = w.servers[0]!
    t.same(operation.degraded, [])
    redis.kill()
    await appears(() => operation.degraded.length > 0)
    t.same(operation.degraded, ['Redis is away'])
    await redis.again()
    await appears(() => operation.degraded.length === 0)
  })

  test('a clock is measured against the database, whatever the way there takes', async (t) => {
    const { w } = await twoNodes(t, redis)
    const { database, operation } = w.servers[0]!
    const right = (await clockSkew(database, systemClock))!
    t.notOk(isTooFar(right))
    t.ok(Math.abs(right.ahead) < 1000)
    const late = { ...systemClock, now: () => Date.now() - 1500 }
    t.ok(isTooFar((await clockSkew(database, late))!))
    t.notOk(isTooFar({ ahead: 1500, within: 600 }), 'it could be the way')
    // Time in the world of tests is not the time of the database.
    t.ok(operation.problems.includes('the clock differs from the database'))
    w.clock.now = () => Date.now()
    await operation.look()
    t.notOk(operation.problems.includes('the clock differs from the database'))
  })

  test('stopped', () => redis.stop())
}
