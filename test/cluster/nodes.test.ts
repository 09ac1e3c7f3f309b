// Two nodes over a real Redis and a real PostgreSQL, as their users see them.

import { test, type Test } from 'tap'
import { Unanswered } from '../../lib/cluster/talk.js'
import type { Membership } from '../../lib/cluster/membership.js'
import type { Server } from '../../lib/core/server.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { worldOver } from '../world/grounds.js'
import { noRedis, TestRedis } from '../world/redis.js'
import type { World } from '../world/world.js'

const ROMEO = 'romeo@capulet.example'

if (noRedis) {
  test('two nodes over Redis', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const twoNodes = (t: Test): Promise<World> => worldOver(t, redis)

  const says = (text: string) => `<message to='${ROMEO}' type='chat'><body>${text}</body></message>`
  const hears = (text: string) => `<message><body>${text}</body></message>`

  /** Redis is another process: what it will say takes a moment. */
  const appears = async (look: () => Promise<unknown>): Promise<void> => {
    while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  /** The same for what a node does now and then: it may be at it while the clock moves. */
  const passing = (w: World, look: () => Promise<boolean>): Promise<void> =>
    appears(async () => {
      w.clock.advance(1000)
      return look()
    })

  test('a message reaches all devices, on whatever node they are', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    w.juliet.sends(says('here and there'))
    await w.settle()
    for (const device of [w.romeo, laptop]) await device.finds(hears('here and there'))
    laptop.sends("<message to='juliet@capulet.example/phone'><body>and back</body></message>")
    await w.settle()
    await w.juliet.finds(hears('and back'))
  })

  test('many messages keep their order on their way (RFC 6120 §10.1)', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    const texts = Array.from({ length: 200 }, (_, i) => `m${i}`)
    for (const text of texts) w.juliet.sends(says(text))
    await w.settle()
    const bodies = laptop.inbox.flatMap((element) => element.getChildText('body') ?? [])
    t.strictSame(bodies, texts)
  })

  test('who binds an address that is bound on another node takes it (RFC 6120 §7.7.2.2)', async (t) => {
    const w = await twoNodes(t)
    const again = await w.device('romeo', 'phone', { node: 1 })
    await w.settle()
    t.ok(w.romeo.streamError?.getChild('conflict'))
    await again.comesOnline()
    w.juliet.sends(says('to the new one'))
    await w.settle()
    await again.finds(hears('to the new one'))
  })

  test('a device is shown what it was not told of, whatever the other node believes of it', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    // Node 0 has looked once; since then it takes Romeo for being there alone.
    w.juliet.sends(says('first'))
    await w.settle()
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.asks('set', undefined, "<enable xmlns='urn:xmpp:carbons:2'/>")
    w.servers[0]!.directory.alone(ROMEO)
    w.juliet.sends(`<message to='${w.romeo.jid}' type='chat'><body>to the phone</body></message>`)
    await w.settle()
    await laptop.finds(
      "<message><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>to the phone</body></message></forwarded></received></message>",
    )
    w.romeo.sends("<message to='juliet@capulet.example' type='chat'><body>said</body></message>")
    await w.settle()
    await laptop.finds(
      "<message><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>said</body></message></forwarded></sent></message>",
    )
  })

  test('what came while a node was deaf comes from the log, before what came after it', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    w.juliet.sends(says('one'))
    await w.settle()
    await redis.ask('client', 'kill', 'type', 'pubsub')
    w.juliet.sends(says('two'))
    await w.settle()
    const heard = (text: string) => async () =>
      laptop.inbox.some((element) => element.getChildText('body') === text)
    await appears(heard('two'))
    // Nobody had listened: until node 0 looks again it takes the other one for gone.
    w.clock.advance(1000)
    await appears(async () => w.servers[0]!.members.size === 2)
    w.juliet.sends(says('three'))
    await w.settle()
    await appears(heard('three'))
    const bodies = laptop.inbox.flatMap((element) => element.getChildText('body') ?? [])
    t.strictSame(bodies, ['one', 'two', 'three'])
  })

  test('who asked a node that ends does not wait for its answer', async (t) => {
    const w = await twoNodes(t)
    const [one, two] = w.servers as [Server, Server]
    two.talk.on('never answered', () => new Promise(() => undefined))
    const asked = t.rejects(
      one.talk.ask(two.node, 'never answered', null),
      new Unanswered(`${two.node} is over`),
    )
    await w.settle()
    await two.stop()
    await asked
  })

  test('what it was not sent while it was taken for gone it learns by the next number', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    const [one, two] = w.servers as [Server, Server]
    ;(one.members as Membership).gone(two.node, false)
    w.juliet.sends(says('unsent'))
    await w.settle()
    t.equal(laptop.inbox.filter((element) => element.getChildText('body')).length, 0)
    w.clock.advance(1000)
    await appears(async () =>
      laptop.inbox.some((element) => element.getChildText('body') === 'unsent'),
    )
  })

  test('what a node wrote and told nobody before it was gone is shown all the same', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    const [one, two] = w.servers as [Server, Server]
    Object.assign(one.bus, { send: () => new Promise(() => undefined) })
    w.juliet.sends(says('its last'))
    await one.settled()
    await w.restart({ kill: true })
    ;(two.members as Membership).gone(one.node, false)
    await appears(async () =>
      laptop.inbox.some((element) => element.getChildText('body') === 'its last'),
    )
  })

  test('what there was before a session was bound is not shown to it, whatever is read anew', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    w.juliet.sends(says('before'))
    await w.settle()
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    await laptop.clears()
    const [, two] = w.servers as [Server, Server]
    await two.showing.repair(0)
    w.juliet.sends(says('after'))
    await w.settle()
    const bodies = laptop.inbox.flatMap((element) => element.getChildText('body') ?? [])
    t.strictSame(bodies, ['after'])
  })

  test("a stanza for a session of somebody else is nobody's (the directory is Redis's word)", async (t) => {
    const w = await twoNodes(t)
    const [one] = w.servers as [Server]
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    one.directory.doubt(ROMEO)
    const places = await one.directory.lookup(ROMEO)
    const place = places.find(({ resource }) => resource === 'laptop')!
    const to = Jid.parse('nurse@capulet.example/laptop')
    const from = Jid.parse('juliet@capulet.example/phone')
    const stanza = Stanza.parse("<message type='headline'><body>astray</body></message>")
    const facts = { origin: 'client', arrived: w.clock.now() } as const
    await one.neighbours.write(place, new Envelope({ stanza, from, to, ...facts }))
    w.juliet.sends(`<message to='${laptop.jid}' type='headline'><body>straight</body></message>`)
    await w.settle()
    const bodies = laptop.inbox.flatMap((element) => element.getChildText('body') ?? [])
    t.strictSame(bodies, ['straight'])
  })

  test('without Redis a node serves its own; what is for the other one it reads in the log', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    redis.kill()
    await appears(async () => w.servers.every(({ members }) => members.cutOff))
    w.juliet.sends(says('while it is away'))
    await w.settle()
    await w.romeo.finds(hears('while it is away'))
    await passing(w, async () => laptop.inbox.some((element) => element.getChild('body')))
    await redis.again()
    await appears(() => redis.ask('exists', 'tercet:s:{romeo@capulet.example}'))
    w.juliet.sends(says('and after that'))
    await w.settle()
    const heard = async () =>
      laptop.inbox.some((element) => element.getChildText('body') === 'and after that')
    await passing(w, heard)
    const bodies = laptop.inbox.flatMap((element) => element.getChildText('body') ?? [])
    t.strictSame(bodies, ['while it is away', 'and after that'])
  })

  test('stopped', () => redis.stop())
}
