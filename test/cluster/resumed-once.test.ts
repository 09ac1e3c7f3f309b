// What a client has acknowledged on one node another one does not give it again (XEP-0198 §5), though it reads
// the log from some time before its stream ended. Over a real Redis and a real PostgreSQL.

import { test } from 'tap'
import {
  bodies,
  chat,
  connects,
  resumes,
  SM,
  waits,
} from '../modules/stream-management/sm-world.js'
import type { Client } from '../world/client.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { DOMAIN, type World } from '../world/world.js'
import { type Moving, passes, present, ROMEO, sessionOn, twoNodes } from './moving-world.js'

if (noRedis) {
  test('nothing comes twice', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  test('its node takes long to stop', async (t) => {
    const { w, phone, id } = await acknowledged(await twoNodes(t, redis), 3)
    await phone.breaks()
    await waits(w, 7)
    await w.servers[1]!.stop()
    const again = await comesBack(w, { id, h: 3, node: 0 })
    t.same(bodies(again).filter(Boolean), [])
  })

  test('what came while its node was stopping comes, and once', async (t) => {
    const { w, phone, id } = await acknowledged(await twoNodes(t, redis), 2)
    const juliet = await present(w, 'juliet', 0)
    await phone.breaks()
    juliet.sends(chat(ROMEO, 'meanwhile'))
    await waits(w, 7)
    await w.servers[1]!.stop()
    const again = await comesBack(w, { id, h: 2, node: 0 })
    t.same(bodies(again).filter(Boolean), ['meanwhile'])
  })

  test('it moves, and its new node stops soon after', async (t) => {
    const { w, id } = await acknowledged(await twoNodes(t, redis), 3)
    const moved = await resumes(w, 'romeo', { id, h: 3, node: 0 })
    t.ok(sessionOn(w, 0))
    await moved.breaks()
    await w.servers[0]!.stop()
    const again = await comesBack(w, { id, h: 3, node: 1 })
    t.same(bodies(again).filter(Boolean), [])
  })

  test('more than a thousand, all of them just before', async (t) => {
    const many = 1800
    const { w, phone, id } = await acknowledged(await twoNodes(t, redis), many)
    await phone.breaks()
    await w.servers[1]!.stop()
    const again = await comesBack(w, { id, h: many, node: 0 })
    t.same(bodies(again).filter(Boolean), [])
  })

  test('what waited for it when it moved waits when it moves on, however that is', async (t) => {
    const { w, phone, id } = await acknowledged(await twoNodes(t, redis), 1)
    const juliet = await present(w, 'juliet', 0)
    await phone.breaks()
    for (const body of ['one', 'two']) juliet.sends(chat(ROMEO, body))
    await w.settle()
    const asked = { id, h: 1, account: sessionOn(w, 1)!.number }
    t.match(await w.servers[0]!.talk.ask('node1', `sm release ${DOMAIN}`, asked), { is: 'free' })
    t.equal(sessionOn(w, 1), undefined)
    // Nobody has made it again.
    await waits(w, 61)
    t.ok(sessionOn(w, 1))
    await w.servers[1]!.stop()
    const again = await comesBack(w, { id, h: 1, node: 0 })
    t.same(bodies(again).filter(Boolean), ['one', 'two'])
  })

  test('stopped', () => redis.stop())
}

/** Romeo's phone has had so many messages, and has said so. */
async function acknowledged(moving: Moving, many: number): Promise<Moving> {
  const { w, phone } = moving
  const juliet = await present(w, 'juliet', 1)
  for (let at = 1; at <= many; at++) {
    juliet.sends(chat(ROMEO, `had ${at}`))
    if (at % 100 > 0 && at < many) continue
    await w.settle()
    phone.sends(`<a ${SM} h='${at}'/>`)
    await w.settle()
  }
  await phone.clears()
  return moving
}

async function comesBack(
  w: World,
  { id, h, node }: { id: string; h: number; node: number },
): Promise<Client> {
  const client = await connects(w, 'romeo', { node })
  client.sends(`<resume ${SM} previd='${id}' h='${h}'/>`)
  await passes(w, client)
  await client.finds(`<resumed ${SM}/>`)
  await w.settle()
  return client
}
