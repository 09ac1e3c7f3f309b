// Resumption at another node (XEP-0198 §5) where the first one was killed, or does not answer, where two want
// the same session, or the client says what cannot be. Over a real Redis and a real PostgreSQL.

import { test } from 'tap'
import {
  bodies,
  chat,
  connects,
  handled,
  refusals,
  refusesMessages,
  resumes,
  SM,
  waits,
} from '../modules/stream-management/sm-world.js'
import type { Element } from '../../lib/xmpp/element.js'
import type { Client } from '../world/client.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { DOMAIN, type World } from '../world/world.js'
import {
  befriend,
  JULIET,
  NOT_FOUND,
  passes,
  present,
  ROMEO,
  sessionOn,
  twoNodes,
} from './moving-world.js'

const LATER = "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

if (noRedis) {
  test('any node resumes any session', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  test('killed: another node resumes what is on disk', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    for (const body of ['one', 'two']) juliet.sends(chat(ROMEO, body))
    phone.sends(chat(JULIET, 'stored'))
    t.equal(await handled(phone), 1)
    await w.restart({ node: 1, kill: true })
    juliet.sends(chat(ROMEO, 'three'))
    await w.settle()
    const again = await connects(w, 'romeo', { node: 0 })
    again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await passes(w, again)
    await again.finds(`<resumed ${SM} h='1'/>`)
    t.same(bodies(again).filter(Boolean), ['one', 'two', 'three'])
  })

  test('killed: what its client acknowledged before the last commit does not come again', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 1)
    for (const [at, body] of ['old', 'new'].entries()) {
      juliet.sends(chat(ROMEO, body))
      await w.settle()
      phone.sends(`<a ${SM} h='${at + 1}'/>`)
      await waits(w, 2)
    }
    juliet.sends(chat(ROMEO, 'newest'))
    await w.settle()
    await w.restart({ node: 1, kill: true })
    const again = await connects(w, 'romeo', { node: 0 })
    again.sends(`<resume ${SM} previd='${id}' h='2'/>`)
    await passes(w, again)
    await again.finds(`<resumed ${SM}/>`)
    t.same(bodies(again).filter(Boolean), ['newest'])
  })

  test('who asks at two nodes at once: the last one has it, nothing is there twice', async (t) => {
    const { w, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    const both = [await connects(w, 'romeo', { node: 0 }), await connects(w, 'romeo', { node: 1 })]
    for (const client of both) client.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await w.settle()
    const open = both.filter((client) => !client.closed)
    t.equal(open.length, 1)
    await open[0]!.finds(`<resumed ${SM} h='0'/>`)
    const places = [0, 1].filter((node) => sessionOn(w, node))
    t.equal(places.length, 1)
    juliet.sends(chat(ROMEO, 'to the one'))
    await w.settle()
    await open[0]!.finds('<message><body>to the one</body></message>')
  })

  test('counts that cannot be are answered as on its own node (XEP-0198 §5, §6)', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    juliet.sends(chat(ROMEO, 'one'))
    juliet.sends(chat(ROMEO, 'two'))
    await w.settle()
    phone.sends(`<a ${SM} h='2'/>`)
    phone.sends('<presence/>')
    t.equal(await handled(phone), 1)
    const high = await resumes(w, 'romeo', { id, h: 9, node: 0 })
    const error = high.streamError?.getChild('handled-count-too-high', 'urn:xmpp:sm:3')
    t.equal(error?.attrs.h, '9')
    const forgot = await resumes(w, 'romeo', { id, h: 1, node: 0 })
    await forgot.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
    await w.server.run(DOMAIN, 'user add', { jid: `nurse@${DOMAIN}`, password: 'secret' })
    const nurse = await resumes(w, 'nurse', { id, h: 2, node: 0 })
    t.notOk('h' in (await nurse.receives(`<failed ${SM}>${NOT_FOUND}</failed>`)).attrs)
    t.notOk(phone.closed, 'its own stream goes on')
    await phone.leaves()
    const late = await resumes(w, 'romeo', { id, h: 2, node: 0 })
    await late.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
  })

  test('a node that does not answer: the client is told to come again, and may', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const { talk } = w.servers[1]!
    const { take } = talk
    Object.assign(talk, { take: () => true })
    const again = await connects(w, 'romeo', { node: 0 })
    again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await passes(w, again)
    await again.finds(`<failed ${SM}>${LATER}</failed>`)
    t.notOk(phone.closed)
    Object.assign(talk, { take })
    again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await again.finds(`<resumed ${SM}/>`)
  })

  test('what is refused while its session moves is counted: it is not sent again, and nowhere (XEP-0198 §5)', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const again = await connects(w, 'romeo', { node: 0 })
    const refuse = refusesMessages(w.servers[1]!)
    phone.sends(chat(JULIET, 'one') + chat(JULIET, 'two'))
    again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    while (!phone.closed) {
      w.clock.advance(10)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    refuse()
    await passes(w, again)
    await again.finds(`<resumed ${SM} h='2'/>`)
    t.same(refusals(again), ['one', 'two'])
    t.equal(await handled(again), 2)
    t.same(await w.server.database.reader('messages').select('id'), [])
  })

  test('one that waits for its client elsewhere ends where its address is bound', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    await phone.breaks()
    const again = await w.device('romeo', 'phone', { node: 0 })
    await w.settle()
    t.equal(sessionOn(w, 1), undefined)
    t.ok(sessionOn(w, 0))
    t.notOk(again.closed)
    const late = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    await late.receives(`<failed ${SM} h='0'>${NOT_FOUND}</failed>`)
  })

  test('what was on its way to the node that has it, behind what is newer, is not lost', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    const here = await w.device('juliet', 'desk', { node: 1 })
    const { showing } = w.servers[1]!
    const { show } = showing
    Object.assign(showing, { show: () => undefined })
    juliet.sends(chat(ROMEO, 'late'))
    await w.settle()
    here.sends(chat(ROMEO, 'early'))
    // It waits for the one before it, which is not to be found in time. The log takes real time: no more than
    // a second passes here, or what is on its way would be older than anything can be.
    for (let passed = 0; !bodies(phone).includes('early'); passed += 100) {
      if (passed < 1000) w.clock.advance(100)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await w.settle()
    t.same(bodies(phone).filter(Boolean), ['early'])
    phone.sends(`<a ${SM} h='1'/>`)
    await w.settle()
    const again = await resumes(w, 'romeo', { id, h: 1, node: 0 })
    Object.assign(showing, { show })
    t.same(bodies(again).filter(Boolean), ['late'], 'and what it had is not there twice')
    await w.servers[0]!.showing.repair(w.clock.now() - 5000)
    await w.settle()
    t.same(bodies(again).filter(Boolean), ['late'], 'nor when the log is read again')
  })

  test('what it had on the other node does not come again when this one reads the log', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 1)
    juliet.sends(chat(ROMEO, 'had'))
    await w.settle()
    phone.sends(`<a ${SM} h='1'/>`)
    const again = await resumes(w, 'romeo', { id, h: 1, node: 0 })
    await again.finds(`<resumed ${SM}/>`)
    await w.servers[0]!.showing.repair(w.clock.now() - 5000)
    await w.settle()
    t.same(bodies(again).filter(Boolean), [])
  })

  test('let go, and nobody makes it again: it is there for whoever asks', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    juliet.sends(chat(ROMEO, 'one'))
    juliet.sends(
      `<message to='${ROMEO}/phone' type='headline'><body>no log has it</body></message>`,
    )
    await w.settle()
    const letGo = async () => {
      const account = sessionOn(w, 1)!.number
      const asked = { id, h: 0, account }
      t.match(await w.servers[0]!.talk.ask('node1', `sm release ${DOMAIN}`, asked), { is: 'free' })
      t.equal(sessionOn(w, 1), undefined)
    }
    await letGo()
    t.ok(phone.closed)
    const again = await resumes(w, 'romeo', { id, h: 0, node: 1 })
    t.same(bodies(again).filter(Boolean), ['one', 'no log has it'])
    await letGo()
    const third = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    t.same(bodies(third).filter(Boolean), ['one', 'no log has it'])
  })

  test('let go, and its client does not come back: it ends as it would have', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    await befriend(w, phone, juliet)
    const asked = { id, h: 0, account: sessionOn(w, 1)!.number }
    await w.servers[0]!.talk.ask('node1', `sm release ${DOMAIN}`, asked)
    await waits(w, 61)
    t.ok(sessionOn(w, 1), 'it waits where it was')
    await juliet.clears()
    for (let minute = 0; minute < 11; minute++) {
      w.clock.advance(60_000)
      // Who says nothing for long is taken for gone.
      await juliet.asks('get', DOMAIN, "<ping xmlns='urn:xmpp:ping'/>")
    }
    t.equal(sessionOn(w, 1), undefined)
    await juliet.finds(`<presence type='unavailable' from='${ROMEO}/phone'/>`)
  })

  test('whose node has died is awaited: contacts hear that he is gone when he did not come (RFC 6121 §4.5.2)', async (t) => {
    for (const comes of [true, false]) {
      const { w, phone, id } = await twoNodes(t, redis)
      const juliet = await present(w, 'juliet', 0)
      await befriend(w, phone, juliet)
      await juliet.clears()
      const { node, life } = w.servers[1]!.members.self
      await w.restart({ node: 1, kill: true })
      await redis.ask('xadd', 'tercet:members', '*', 'gone', `${node} ${life}`)
      await w.server.fencing.fence(life)
      await looks(w)
      t.same(goodbyes(juliet), [], 'not yet')
      if (comes) {
        const again = await connects(w, 'romeo', { node: 0 })
        again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
        await again.finds(`<resumed ${SM}/>`)
      } else w.clock.advance(11 * 60_000)
      await looks(w)
      await looks(w)
      t.equal(goodbyes(juliet).length, comes ? 0 : 1)
    }
  })

  test('who has its address on another node by now keeps it', async (t) => {
    const { w, id } = await twoNodes(t, redis)
    await w.restart({ node: 1, kill: true })
    const other = await w.device('romeo', 'phone', { node: 1 })
    const again = await connects(w, 'romeo', { node: 0 })
    again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await passes(w, again)
    await again.finds(`<failed ${SM} h='0'>${NOT_FOUND}</failed>`)
    await w.settle()
    t.notOk(other.closed)
  })

  test('stopped', () => redis.stop())
}

/** Whoever is elected looks after what the dead have left. */
async function looks(w: World): Promise<void> {
  w.clock.advance(10_000)
  for (let times = 0; times < 20; times++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    await w.settle()
  }
}

function goodbyes(client: Client): Element[] {
  return client.inbox.filter(
    ({ attrs }) => attrs.type === 'unavailable' && attrs.from === `${ROMEO}/phone`,
  )
}
