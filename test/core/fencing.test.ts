// A node that another one took for dead, over a real Redis and a real PostgreSQL.

import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { LEASE, type Membership } from '../../lib/cluster/membership.js'
import { Unanswered } from '../../lib/cluster/talk.js'
import type { Server } from '../../lib/core/server.js'
import { fence, isFenced } from '../../lib/storage/lives.js'
import type { Client } from '../world/client.js'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { RedisNodes } from '../world/redis-nodes.js'
import { type World, world } from '../world/world.js'

if (noRedis) {
  test('fencing over Redis', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  interface Scene {
    readonly w: World
    readonly first: Server
    readonly second: Server
    /** Romeo's device on the second node; its stream is managed. */
    readonly laptop: Client
  }

  const SM = "xmlns='urn:xmpp:sm:3'"

  const scene = async (t: Test): Promise<Scene> => {
    await redis.ask('flushall')
    const cluster = new RedisNodes(redis.url)
    const database = await freshPostgres()
    const modules = ['presence', 'archive', 'stream-management']
    const w = await world(t, { nodes: 2, cluster, database, modules })
    // Before that nobody is sure who else is there.
    w.clock.advance(LEASE)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    laptop.sends(`<enable ${SM} resume='true'/>`)
    await w.settle()
    await w.juliet.comesOnline()
    await laptop.clears()
    const [first, second] = w.servers as [Server, Server]
    return { w, first, second, laptop }
  }

  const says = (text: string) =>
    `<message to='juliet@capulet.example' type='chat'><body>${text}</body></message>`

  const bodies = ({ inbox }: Client) =>
    inbox.flatMap((element) => element.getChildText('body') ?? [])

  test('what a fenced node has is cut off without a word, and nothing is acknowledged', async (t) => {
    const { w, first, second, laptop } = await scene(t)
    await w.romeo.comesOnline()
    await Promise.all([w.romeo.clears(), w.juliet.clears()])
    const before = laptop.transcript.length
    const heard: unknown[] = []
    const hear = (event: unknown) => void heard.push(event)
    second.hosts.get('capulet.example')!.events.add('test', {
      'session:detached': hear,
      'session:closed': hear,
      'session:unavailable': hear,
    })
    await fence(first.database, second.life)
    laptop.sends(says('too late'))
    laptop.sends(`<r ${SM}/>`)
    await second.fenced
    await w.settle()
    t.ok(laptop.transport.ended)
    t.notOk(laptop.closed)
    t.strictSame(laptop.transcript.slice(before), [])
    t.strictSame(bodies(w.juliet), [])
    t.strictSame(heard, [])
    // RFC 6121 §4.5.4 does not apply: the session may well go on elsewhere.
    t.strictSame(w.romeo.inbox, [])
    t.equal(await first.database.knex('messages').first('id'), undefined)
    const entries = (await redis.ask('hvals', 'tercet:s:{romeo@capulet.example}')) as string[]
    t.ok(entries.some((entry) => entry.includes(second.life)))
    const lines = w.log.length
    await second.stop()
    t.strictSame(
      w.log.slice(lines).filter((line) => / (warn|error) /i.test(line)),
      [],
    )
  })

  test('who is told that it was fenced knows without writing anything', async (t) => {
    const { w, first, second, laptop } = await scene(t)
    const heard: string[] = []
    for (const server of w.servers)
      server.fencing.onFenced((life) => void heard.push(`${server.node}: ${life}`))
    await first.fencing.fence(second.life)
    t.strictSame(heard, [`node0: ${second.life}`])
    await second.fenced
    t.ok(laptop.transport.ended)
    t.equal(second.fencing.over, true)
    await t.rejects(second.journal.settled(), { message: 'resource-constraint' })
    const later = await w.stranger()
    t.notOk(later.transport.ended)
  })

  test('who comes to a fenced node is not heard', async (t) => {
    const { w, first, second } = await scene(t)
    await first.fencing.fence(second.life)
    await second.fenced
    await t.rejects(w.device('juliet', 'tablet', { node: 1 }))
  })

  test('who could not be told asks', async (t) => {
    const { first, second, laptop } = await scene(t)
    t.equal(await second.fencing.check(), false)
    await fence(first.database, second.life)
    t.equal(await second.fencing.check(), true)
    t.ok(laptop.transport.ended)
    t.equal(await first.fencing.check(), false)
  })

  test('what was asked of a node is given up when its life is over, listed or not', async (t) => {
    const { w, first, second } = await scene(t)
    second.talk.on('test', () => new Promise(() => undefined))
    const outcomes: unknown[] = []
    first.talk.ask(second.node, 'test', null).catch((error) => outcomes.push(error))
    await w.settle()
    // A node that hangs: its lease ends before anybody fences it.
    ;(first.members as Membership).gone(second.node, false)
    await first.fencing.fence(second.life)
    await w.settle()
    t.ok(outcomes[0] instanceof Unanswered)
  })

  const GHOST = { node: 'ghost', life: 'of-ghost' }

  /** Listed as one that is there, as after it was killed. */
  const listGhost = async (): Promise<void> => {
    await redis.ask('xadd', 'tercet:members', '*', 'here', 'ghost of-ghost')
  }

  const listener = async (t: Test, node: string): Promise<void> => {
    const client = new Redis(redis.url)
    t.teardown(() => client.disconnect())
    await client.ssubscribe(`tercet:b:{${node}}`)
  }

  /** Redis is another process: until somebody waits for the clock. */
  const waits = async ({ clock }: World, before: number): Promise<void> => {
    while (clock.waiting <= before) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  const passing = async <T>({ clock }: World, work: Promise<T>): Promise<T> => {
    let over = false
    const end = work.finally(() => {
      over = true
    })
    while (!over) {
      clock.advance(1000)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return end
  }

  test('who is listed and does not listen is dead after a second look', async (t) => {
    const { w, first, second } = await scene(t)
    await listGhost()
    const heard: string[] = []
    second.fencing.onFenced((life) => void heard.push(life))
    const before = w.clock.waiting
    const taking = [first.fencing.takeOver(GHOST), first.fencing.takeOver(GHOST)]
    await waits(w, before)
    t.equal(await isFenced(first.database, GHOST.life), false)
    t.strictSame(await passing(w, Promise.all(taking)), [true, true])
    t.equal(await isFenced(first.database, GHOST.life), true)
    // Others come before.
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    t.strictSame(heard, [GHOST.life])
    t.equal(await second.fencing.takeOver(GHOST), true)
  })

  test('who listens again at the second look is not dead', async (t) => {
    const { w, first } = await scene(t)
    await listGhost()
    const before = w.clock.waiting
    const taking = first.fencing.takeOver(GHOST)
    await waits(w, before)
    await listener(t, GHOST.node)
    t.equal(await passing(w, taking), false)
    t.equal(await isFenced(first.database, GHOST.life), false)
  })

  test('who is there is not taken over; an earlier life of it is, and who left', async (t) => {
    const { w, first, second } = await scene(t)
    t.equal(await first.fencing.takeOver(second.members.self), false)
    t.equal(await first.fencing.takeOver(first.members.self), false)
    t.equal(await first.fencing.takeOver({ node: 'node1', life: 'earlier' }), true)
    const { self } = second.members
    await second.stop()
    await w.settle()
    t.equal(await first.fencing.takeOver(self), true)
  })

  test('without Redis, and for a lease after it, nobody is dead but who is known to be', async (t) => {
    const { w, first } = await scene(t)
    const known = { node: 'known', life: 'of-known' }
    t.equal(await first.fencing.takeOver(known), true)
    redis.kill()
    while (!first.members.cutOff) await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(await first.fencing.takeOver(GHOST), false)
    t.equal(await first.fencing.takeOver(known), true)
    const own = { node: first.node, life: 'earlier' }
    t.equal(await first.fencing.takeOver(own), true, 'whatever the others do, that one is over')
    await redis.again()
    while (first.members.cutOff) await new Promise((resolve) => setTimeout(resolve, 5))
    t.equal(await first.fencing.takeOver(GHOST), false)
    w.clock.advance(LEASE)
    t.equal(await first.fencing.takeOver(GHOST), true)
  })

  test('stopped', () => redis.stop())
}
