// Binding on several nodes, over a real Redis and a real PostgreSQL.

import { test, type Test } from 'tap'
import type { Server } from '../../lib/core/server.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { worldOver } from '../world/grounds.js'
import { noRedis, TestRedis } from '../world/redis.js'
import type { World } from '../world/world.js'

const ROMEO = 'romeo@capulet.example'

if (noRedis) {
  test('binding on several nodes', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const twoNodes = (t: Test): Promise<World> => worldOver(t, redis)

  /** As for a session of before; what is wrong with it instead, where there is something. */
  const bindsOn = async ({ hosts }: Server, jid: Jid): Promise<unknown> => {
    const host = hosts.get(jid.domain)!
    const account = await host.accounts!.lookup(jid.local)
    const made = host.sessions.restore(account!, jid.resource, () => undefined)
    return made.catch((error: unknown) => error)
  }

  test('of two who bind one address on two nodes at once one is left (RFC 6120 §7.7.2.2)', async (t) => {
    const w = await twoNodes(t)
    await w.device('romeo', 'laptop', { node: 1 })
    const [one, two] = w.servers as [Server, Server]
    const ask = one.talk.ask.bind(one.talk)
    let answered: () => void = () => {}
    const asking = new Promise<void>((resolve) => {
      one.talk.ask = async (...question) => {
        const answer = await ask(...question)
        resolve()
        await new Promise<void>((go) => {
          answered = go
        })
        return answer
      }
    })
    const jid = Jid.parse(`${ROMEO}/tomb`)
    const first = bindsOn(one, jid)
    await asking
    t.match(await bindsOn(two, jid), { jid })
    answered()
    t.match(await first, { condition: 'conflict' })
    const count = ({ hosts }: Server) => (hosts.get(jid.domain)!.sessions.find(jid) ? 1 : 0)
    t.equal(count(one) + count(two), 1)
  })

  test('stopped', () => redis.stop())
}
