// Any node resumes any session of a node that runs (XEP-0198 §5): nothing is lost, nothing comes twice, and
// nobody else hears of it. Over a real Redis and a real PostgreSQL.

import { test } from 'tap'
import { LoginClient } from '../modules/authentication/login-client.js'
import { romeo as romeosLogin, scram2 } from '../modules/authentication/sasl2-client.js'
import {
  bodies,
  chat,
  connects,
  handled,
  resumes,
  SM,
} from '../modules/stream-management/sm-world.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { befriend, counted, JULIET, present, ROMEO, sessionOn, twoNodes } from './moving-world.js'

if (noRedis) {
  test('any node resumes any session', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  test('a session goes on on another node, with all that its client has not acknowledged', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    phone.sends(chat(JULIET, 'sent'))
    await phone.asks('get', undefined, "<ping xmlns='urn:xmpp:ping'/>")
    t.equal(await handled(phone), 2)
    await phone.clears()
    for (const body of ['one', 'two', 'three']) juliet.sends(chat(ROMEO, body))
    juliet.sends(
      `<message to='${ROMEO}/phone' type='headline'><body>no log has it</body></message>`,
    )
    juliet.sends(`<iq type='get' id='q' to='${ROMEO}/phone'><question xmlns='x'/></iq>`)
    await w.settle()
    phone.sends("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    phone.sends(chat(JULIET, 'not told that it is stored'))
    await w.settle()
    t.equal(bodies(phone).length, 4)
    await juliet.clears()
    // The answer to its own ping was the first that it was sent; it has one more.
    const again = await resumes(w, 'romeo', { id, h: 2, node: 0 })
    await again.receives(`<resumed ${SM} h='4' previd='${id}'/>`)
    t.ok(phone.streamError?.getChild('conflict'), 'as when it is resumed on its own node')
    t.equal(sessionOn(w, 1), undefined)
    t.same(bodies(again).filter(Boolean), ['two', 'three', 'no log has it'])
    await again.finds(`<iq type='get' id='q' from='${JULIET}/phone'/>`)
    await again.finds("<iq type='result' id='p'/>")
    again.sends(`<iq type='result' id='q' to='${JULIET}/phone'/>`)
    await juliet.finds("<iq type='result' id='q'/>")
    t.notOk(
      juliet.inbox.some((element) => element.is('presence') && element.attrs.type),
      'nobody hears that it went',
    )
    juliet.sends(chat(`${ROMEO}/phone`, 'by name'))
    juliet.sends(chat(ROMEO, 'by account'))
    await w.settle()
    t.same(bodies(again).filter(Boolean), [
      'two',
      'three',
      'no log has it',
      'by name',
      'by account',
    ])
    t.equal(await handled(again), 5)
  })

  test('there and back again: counts go on exactly in both directions', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 1)
    let [client, h, sent] = [phone, 0, 0]
    for (let time = 0; time < 4; time++) {
      for (const n of [1, 2, 3]) client.sends(chat(JULIET, `${time} ${n}`))
      juliet.sends(chat(ROMEO, `a ${time}`))
      juliet.sends(chat(ROMEO, `b ${time}`))
      await w.settle()
      t.same(
        bodies(client).filter((body) => body.endsWith(` ${time}`)),
        [`a ${time}`, `b ${time}`],
      )
      sent += 3
      h += counted(client)
      client.sends(`<a ${SM} h='${h}'/>`)
      await client.settle()
      client = await resumes(w, 'romeo', { id, h, node: time % 2 })
      await client.receives(`<resumed ${SM} h='${sent}' previd='${id}'/>`)
      t.same(bodies(client).filter(Boolean), [])
    }
    t.same(bodies(juliet).filter(Boolean).length, 12)
  })

  for (const node of [0, 1]) {
    test(`what comes while it moves comes once and in order, from node ${node}`, async (t) => {
      const { w, id } = await twoNodes(t, redis)
      const juliet = await present(w, 'juliet', node)
      const laptop = await present(w, 'romeo', node)
      const texts = Array.from({ length: 300 }, (_, at) => `m${at}`)
      const again = await connects(w, 'romeo', { node: 0 })
      for (const [at, text] of texts.entries()) {
        juliet.sends(chat(at % 3 ? ROMEO : `${ROMEO}/phone`, text))
        if (at === 50) again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
        if (at % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await w.settle()
      await again.finds(`<resumed ${SM}/>`)
      const got = bodies(again).filter(Boolean)
      t.same(got, texts)
      // RFC 6121 §8.5.3.2.1: chat for a resource that is not there goes to the others.
      const others = bodies(laptop).filter(Boolean)
      const wanted = texts.filter((text, at) => at % 3 > 0 || others.includes(text))
      t.same(others, wanted, 'nor does the other device miss anything')
    })
  }

  test('within a login, and over WebSocket (XEP-0198 §9.2, RFC 7395)', async (t) => {
    const { w, id } = await twoNodes(t, redis)
    const client = w.stranger({ node: 0, framing: 'message' })
    const login = await LoginClient.connect(w, { client })
    const inside = `<resume ${SM} previd='${id}' h='0'/>`
    const { answer } = await scram2(login, romeosLogin, { inside, agent: null })
    t.equal(answer.getChild('resumed', 'urn:xmpp:sm:3')?.attrs.previd, id)
    await w.settle()
    t.equal(sessionOn(w, 1), undefined)
    t.equal(sessionOn(w, 0)?.stream?.framing, 'message')
  })

  test('presence that changed meanwhile is as it is now; whoever sees it hears nothing of the move', async (t) => {
    const { w, phone, id } = await twoNodes(t, redis)
    const juliet = await present(w, 'juliet', 0)
    await befriend(w, phone, juliet)
    phone.sends('<presence><show>away</show></presence>')
    await phone.clears()
    await phone.breaks()
    juliet.sends('<presence><show>dnd</show></presence>')
    await juliet.clears()
    const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    const shown = again.inbox.filter(
      (element) => element.is('presence') && String(element.attrs.from).startsWith(JULIET),
    )
    t.equal(shown.at(-1)?.getChildText('show'), 'dnd')
    const heard = juliet.inbox.filter((element) => element.is('presence'))
    t.same(
      heard.filter(({ attrs }) => attrs.type === 'unavailable'),
      [],
    )
    t.equal(sessionOn(w, 0)?.presence?.stanza.text('show'), 'away')
  })

  test('stopped', () => redis.stop())
}
