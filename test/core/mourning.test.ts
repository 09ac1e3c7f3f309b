// Sessions that a life which is over left behind, over a real Redis and a real PostgreSQL.

import { test, type Test } from 'tap'
import type { Server } from '../../lib/core/server.js'
import { fence, isFenced } from '../../lib/storage/lives.js'
import { befriend } from '../cluster/moving-world.js'
import { enable } from '../modules/stream-management/sm-world.js'
import { worldOver } from '../world/grounds.js'
import { noRedis, TestRedis } from '../world/redis.js'
import type { World } from '../world/world.js'

if (noRedis) {
  test('sessions of lives that are over', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const twoNodes = (t: Test): Promise<World> => worldOver(t, redis)

  /** Whoever is elected looks now and then: Redis and the database are other processes. */
  const looks = async (w: World, done: () => boolean): Promise<void> => {
    while (!done()) {
      w.clock.advance(10_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Juliet on the other node sees Romeo, as the last stanza that she has had of him says. */
  const seen = async (w: World) => {
    const juliet = await w.device('juliet', 'balcony', { node: 1 })
    await w.romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(w, w.romeo, juliet)
    await juliet.finds(`<presence from='${w.romeo.jid}'/>`)
    const gone = () =>
      juliet.inbox.some(({ attrs }) => attrs.type === 'unavailable' && attrs.from === w.romeo.jid)
    return { gone }
  }

  test('whose node has died is gone for contacts, unless the session is awaited (RFC 6121 §4.5.2)', async (t) => {
    const w = await twoNodes(t)
    const { gone } = await seen(w)
    const [one, two] = w.servers as [Server, Server]
    const { node, life } = one.members.self
    await w.restart({ kill: true })
    await redis.ask('xadd', 'tercet:members', '*', 'gone', `${node} ${life}`)
    await two.fencing.fence(life)
    await looks(w, gone)
  })

  test('who does not come back after his node was stopped is gone for contacts (RFC 6121 §4.5.2)', async (t) => {
    const w = await twoNodes(t)
    const { gone } = await seen(w)
    await enable(w.romeo, "resume='true' max='60'")
    w.romeo.transport.cut(new Error('the connection broke'))
    await w.settle()
    const [one, two] = w.servers as [Server, Server]
    await w.restart()
    t.notOk(gone(), 'he may come back')
    await fence(two.database, one.life)
    await looks(w, gone)
  })

  test('so is who does not come back after his node was fenced (RFC 6121 §4.5.2)', async (t) => {
    const w = await twoNodes(t)
    const { gone } = await seen(w)
    const [one, two] = w.servers as [Server, Server]
    await two.fencing.fence(one.life)
    await one.fenced
    await w.restart()
    t.notOk(gone())
    await looks(w, gone)
  })

  test('nobody takes a life for over that is listed again', async (t) => {
    const w = await twoNodes(t)
    const [one, two] = w.servers as [Server, Server]
    let asked = 0
    const silent = async () => {
      asked++
      return [one.life, two.life]
    }
    for (const server of w.servers) Object.assign(server.whereabouts!, { silent })
    await looks(w, () => asked > 0)
    await w.settle()
    for (const { life } of w.servers) t.notOk(await isFenced(one.database, life))
  })

  test('stopped', () => redis.stop())
}
