// Rooms over nodes that end without a word (XEP-0045, XEP-0198 §5): over a real Redis and a real PostgreSQL.

import { type Test, test } from 'tap'
import { LEASE } from '../../lib/cluster/membership.js'
import { heard, opened, PEOPLE, roomsWorld, says } from '../modules/rooms/rooms-world.js'
import { allHeard, isIn, roomOf, stanzas } from '../modules/rooms/surviving.js'
import { connects, enable, SM, waits } from '../modules/stream-management/sm-world.js'
import type { Client } from '../world/client.js'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { RedisNodes } from '../world/redis-nodes.js'
import type { World } from '../world/world.js'
import { passes } from './moving-world.js'

if (noRedis) {
  test('rooms outlive nodes', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const twoNodes = async (t: Test): Promise<World> => {
    await redis.ask('flushall')
    const cluster = new RedisNodes(redis.url)
    const database = await freshPostgres()
    const options = { nodes: 2, cluster, database, loggedIn: false, people: PEOPLE } as const
    const w = await roomsWorld(t, options)
    // Before that nobody is sure who else is there.
    w.clock.advance(LEASE)
    return w
  }

  for (const owner of [0, 1])
    test(`killed with ${owner === 0 ? 'its' : 'another'} node of a room: who resumes elsewhere is still in it, and has missed nothing`, async (t) => {
      const w = await twoNodes(t)
      const romeo = await w.device('romeo', 'phone', { node: 0 })
      const juliet = await w.device('juliet', 'phone', { node: 1 })
      const tybalt = await w.device('tybalt', 'phone', { node: 1 })
      const room = roomOf(w, owner)
      const id = await enable(romeo)
      await romeo.clears()
      await opened(w, { Juliet: juliet, Tybalt: tybalt, Romeo: romeo }, { room })
      says(juliet, 'before', { room })
      await w.settle()
      await waits(w, 4)
      const h = stanzas(romeo)
      says(juliet, 'not acknowledged', { room })
      await w.settle()
      const { life, node } = w.servers[0]!
      await w.restart({ kill: true })
      await redis.ask('xadd', 'tercet:members', '*', 'gone', `${node} ${life}`)
      await w.servers[1]!.fencing.fence(life)
      await waits(w, 3)
      says(juliet, 'while he is away', { room })
      tybalt.sends(`<presence type='unavailable' to='${room}/Tybalt'/>`)
      await w.settle()
      t.notOk(wentFrom(juliet, `${room}/Romeo`), 'he may come back')
      const back = await connects(w, 'romeo', { node: 1 })
      back.sends(`<resume ${SM} previd='${id}' h='${h}'/>`)
      await passes(w, back)
      await waits(w, 1)
      t.ok(await isIn(back, room, 'Romeo'), 'self-ping (XEP-0410 §3.1)')
      says(juliet, 'after', { room })
      await w.settle()
      t.same(allHeard(romeo, back), ['before', 'not acknowledged', 'while he is away', 'after'])
      t.same(allHeard(romeo, back), allHeard(juliet))
      await back.finds(`<presence from='${room}/Tybalt' type='unavailable'/>`)
      says(back, 'here', { room })
      t.same((await heard(juliet)).at(-1), 'here')
    })
}

function wentFrom({ inbox }: Client, address: string): boolean {
  return inbox.some(({ attrs }) => attrs.from === address && attrs.type === 'unavailable')
}
