// Two nodes write to one account's log: each stream is shown its messages in the order of the log (invariant I7
// of reliability.md 3.6), whoever is slow to tell.

import { test, type Test } from 'tap'
import type { Server } from '../../lib/core/server.js'
import type { Client } from '../world/client.js'
import { worldOver } from '../world/grounds.js'
import { noRedis, TestRedis } from '../world/redis.js'
import type { World } from '../world/world.js'

if (noRedis) {
  test('order across nodes', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const says = (text: string) =>
    `<message to='romeo@capulet.example' type='chat'><body>${text}</body></message>`

  const bodies = ({ inbox }: Client): string[] =>
    inbox.flatMap((element) => element.getChildText('body') ?? [])

  const appears = async (look: () => boolean): Promise<void> => {
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  /** Romeo's laptop and Juliet's tablet are on node 1, their phones on node 0, which says nothing until `release`. */
  const apart = async (t: Test) => {
    const w: World = await worldOver(t, redis)
    const phone = w.romeo
    await phone.comesOnline()
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    const tablet = await w.device('juliet', 'tablet', { node: 1 })
    await w.settle()
    const [one] = w.servers as [Server]
    const held: (() => void)[] = []
    const send = one.bus.send.bind(one.bus)
    Object.assign(one.bus, {
      send: (node: string, frame: Buffer) => {
        held.push(() => void send(node, frame))
        return true
      },
    })
    const release = (): void => {
      Object.assign(one.bus, { send })
      for (const go of held.splice(0)) go()
    }
    return { w, phone, laptop, tablet, one, release }
  }

  test('a message waits for the one before it that another node wrote', async (t) => {
    const { w, phone, laptop, tablet, one, release } = await apart(t)
    w.juliet.sends(says('one'))
    await one.settled()
    for (const text of ['two', 'three']) tablet.sends(says(text))
    tablet.sends(
      `<message to='${laptop.jid}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    )
    await appears(() => bodies(phone).length === 3)
    t.strictSame(bodies(phone), ['one', 'two', 'three'])
    t.strictSame(bodies(laptop), [], 'nothing overtakes it')
    release()
    await w.settle()
    t.strictSame(bodies(laptop), ['one', 'two', 'three'])
    t.ok(laptop.inbox.at(-1)?.getChild('composing'), 'what is in no log keeps its place')
  })

  test('what nobody tells of is read in the log before what came after it', async (t) => {
    const { w, laptop, tablet, one, release } = await apart(t)
    w.juliet.sends(says('one'))
    await one.settled()
    tablet.sends(says('two'))
    await appears(() => {
      w.clock.advance(100)
      return bodies(laptop).length > 0
    })
    await w.settle()
    t.strictSame(bodies(laptop), ['one', 'two'])
    release()
    await w.settle()
    t.strictSame(bodies(laptop), ['one', 'two'], 'once')
  })
}
