// Messages of the log that wait for an inactive client (XEP-0352): none is lost, and none counts as sent.

import { test } from 'tap'
import { CatchUp } from '../../../lib/core/catch-up.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { DOMAIN, type World } from '../../world/world.js'
import { wantsCopies } from '../carbons/devices.js'
import { enable, handled, resumes, SM } from '../stream-management/sm-world.js'
import {
  came,
  durable,
  JULIET,
  marks,
  pocket,
  ROMEO,
  says,
  shows,
  STATES,
  writes,
} from './pocket.js'

function taken(w: World): Promise<number> {
  const { number } = w.server.hosts.get(DOMAIN)!.sessions.of(Jid.parse(JULIET))[0]!
  return w.server.taken.of(number)
}

test('a message of the log that waits is not counted as taken (XEP-0333)', async (t) => {
  const w = await pocket(t, { modules: durable })
  writes(w.orchard, 'one')
  t.same(await came(w.phone), ['one'])
  const before = await taken(w)
  t.ok(before > 0)
  marks(w.orchard, 'one')
  t.same(await came(w.phone), [])
  t.equal(await taken(w), before)
  says(w.phone, 'active')
  t.same(await came(w.phone), ['one'])
  t.ok((await taken(w)) > before)
})

test('what another device wrote waits too (XEP-0280 §8)', async (t) => {
  const w = await pocket(t, { modules: durable })
  const laptop = await w.device('juliet', 'laptop')
  await wantsCopies(w.phone)
  await w.phone.clears()
  writes(laptop, 'hello', ROMEO)
  writes(laptop, 'again', ROMEO)
  t.same(await came(w.phone), [])
  writes(w.orchard, 'answer')
  t.same(await came(w.phone), ['sent hello', 'sent again', 'answer'])
})

test('states of chats on another device: the latest of each (XEP-0280 §10.2)', async (t) => {
  const w = await pocket(t, { modules: durable })
  const laptop = await w.device('juliet', 'laptop')
  await wantsCopies(w.phone)
  await w.phone.clears()
  for (const [id, state] of ['composing', 'paused', 'active'].entries())
    laptop.sends(
      `<message to='${ROMEO}' type='chat' id='${id}'><${state} xmlns='${STATES}'/></message>`,
    )
  t.same(await came(w.phone), [])
  says(w.phone, 'active')
  t.same(await came(w.phone), ['sent 2'])
})

test('what waits when the stream breaks comes with the resumption, in order and once; then it is active (XEP-0352 §5.2, XEP-0198 §5)', async (t) => {
  const w = await pocket(t, { modules: durable })
  says(w.phone, 'active')
  const id = await enable(w.phone)
  says(w.phone, 'inactive')
  marks(w.orchard, 'mark')
  shows(w.orchard, 'away')
  t.same(await came(w.phone), [])
  await w.phone.breaks()
  writes(w.orchard, 'hello')
  await w.settle()
  const back = await resumes(w, 'juliet', { id, h: 0 })
  t.same(await came(back), ['mark', 'away', 'hello'])
  shows(w.orchard, 'xa')
  t.same(await came(back), ['xa'])
})

test('what waits when the server is killed is not lost (XEP-0198 §5)', async (t) => {
  const w = await pocket(t, { modules: durable, database: 'sqlite' })
  says(w.phone, 'active')
  const id = await enable(w.phone)
  writes(w.orchard, 'one')
  t.same(await came(w.phone), ['one'])
  w.phone.sends(`<a ${SM} h='1'/>`)
  await handled(w.phone)
  says(w.phone, 'inactive')
  marks(w.orchard, 'mark')
  t.same(await came(w.phone), [])
  w.clock.advance(5000)
  await w.settle()
  await w.restart({ kill: true })
  const back = await resumes(w, 'juliet', { id, h: 1 })
  t.same(
    (await came(back)).filter((word) => word !== 'presence' && word !== 'unavailable'),
    ['mark'],
  )
})

test('a client that takes too little while it is inactive gets everything once (LIM-sm-queue)', async (t) => {
  const options = { 'stream-management': { queue: 20 } }
  const w = await pocket(t, { modules: durable, options })
  says(w.phone, 'active')
  await enable(w.phone)
  says(w.phone, 'inactive')
  const wanted: string[] = []
  for (let i = 0; i < 30; i++) {
    marks(w.orchard, `mark ${i}`)
    if (i % 2 === 0) writes(w.orchard, `word ${i}`)
    wanted.push(`mark ${i}`, ...(i % 2 === 0 ? [`word ${i}`] : []))
    await w.settle()
  }
  const got = await came(w.phone)
  t.ok(got.length < wanted.length - 1)
  says(w.phone, 'active')
  for (let more = await came(w.phone); ; more = await came(w.phone)) {
    got.push(...more)
    if (got.length >= wanted.length) break
    w.phone.sends(`<a ${SM} h='${got.length}'/>`)
    await w.settle()
    if (w.phone.inbox.length === 0) break
  }
  t.same(got, wanted)
})

for (const away of [
  "<presence type='unavailable'/>",
  '<presence><priority>-1</priority></presence>',
])
  test(`who goes and comes while inactive misses nothing that waited (${away})`, async (t) => {
    const w = await pocket(t, { modules: durable })
    writes(w.orchard, 'one')
    marks(w.orchard, 'mark')
    w.phone.sends(`${away}<presence/>`)
    writes(w.orchard, 'two')
    const all = await came(w.phone)
    t.same(
      all.filter((word) => ['one', 'mark', 'two'].includes(word)),
      ['one', 'mark', 'two'],
    )
  })

test('a message of the log that comes out of turn does not wait: nothing newer was to be written before it', async (t) => {
  const w = await pocket(t, { modules: durable })
  const session = w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(w.phone.jid))!
  const write = (logId: number, inside: string): void => {
    const stanza = Stanza.parse(`<message id='${logId}'>${inside}</message>`)
    const [from, to] = [Jid.parse(w.orchard.jid), session.account]
    const arrived = w.clock.now()
    session.write(new Envelope({ stanza, from, to, origin: 'local', arrived, logId }))
  }
  const MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='a'/>"
  write(20, '<body>urgent</body>')
  t.same(await came(w.phone), ['20'])
  write(30, MARKER)
  t.same(await came(w.phone), [])
  write(10, MARKER)
  t.same(await came(w.phone), ['30', '10'])
})

test('what waits and comes by the log meanwhile comes once', async (t) => {
  const w = await pocket(t, { modules: durable })
  const session = w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(w.phone.jid))!
  writes(w.orchard, 'one')
  t.same(await came(w.phone), ['one'])
  marks(w.orchard, 'mark')
  t.same(await came(w.phone), [])
  session.behind = new CatchUp(session, session.position.newest, { flags: 0, room: () => true })
  await session.behind.run()
  says(w.phone, 'active')
  t.same(await came(w.phone), ['mark'])
})
