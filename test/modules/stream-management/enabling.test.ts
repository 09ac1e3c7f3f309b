// Enabling stream management (XEP-0198 §2, §3) and acknowledgements (§4, §6).

import { test } from 'tap'
import { enable, handled, chat, connects, managed, SM, waits } from './sm-world.js'

const JULIET = 'juliet@capulet.example'
const ROMEO = 'romeo@capulet.example'
const UNEXPECTED = "<unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

test('it is offered to whoever is logged in, before binding (XEP-0198 §2)', async (t) => {
  const w = await managed(t)
  const client = w.stranger()
  client.open()
  await client.settle()
  t.notOk(client.inbox[0]!.getChild('sm'), 'not before the login')
  client.transport.feed(`<login xmlns='urn:tercet:world'>${ROMEO}</login>`)
  await client.settle()
  t.ok(client.inbox.at(-1)!.getChild('sm', 'urn:xmpp:sm:3'))
  t.ok(client.inbox.at(-1)!.getChild('bind'))
})

test('enabling with resumption names an id and the longest absence (XEP-0198 §3, §5)', async (t) => {
  const w = await managed(t)
  w.romeo.sends(`<enable ${SM} resume='1' max='60'/>`)
  const { id } = (await w.romeo.receives(`<enabled ${SM} resume='true' max='60'/>`)).attrs
  w.juliet.sends(`<enable ${SM} resume='true' max='6000'/>`)
  const other = await w.juliet.receives(`<enabled ${SM} resume='true' max='600'/>`)
  t.ok(String(id).length >= 24, 'SEC-26')
  t.not(other.attrs.id, id)
  t.ok(String(id).length < 4000)
})

test('without resumption there is nothing to resume by (XEP-0198 §3)', async (t) => {
  const w = await managed(t)
  w.romeo.sends(`<enable ${SM}/>`)
  const enabled = await w.romeo.receives(`<enabled ${SM}/>`)
  t.same(Object.keys(enabled.attrs), ['xmlns'])
  await w.romeo.breaks()
  t.equal([...w.server.hosts.get('capulet.example')!.sessions.all()].length, 1, 'it is gone')
})

test('enabling before binding is refused, and the client may bind (XEP-0198 §3)', async (t) => {
  const w = await managed(t)
  const client = await connects(w, 'romeo')
  client.sends(`<enable ${SM}/>`)
  await client.receives(`<failed ${SM}>${UNEXPECTED}</failed>`)
  const bound = await client.asks(
    'set',
    undefined,
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
  )
  t.equal(bound.attrs.type, 'result')
})

test('enabling twice is refused and ends the stream (XEP-0198 §3, F23)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.romeo.sends(`<enable ${SM} resume='true'/>`)
  await w.romeo.receives(`<failed ${SM}>${UNEXPECTED}</failed>`)
  t.ok(w.romeo.streamError?.getChild('policy-violation'))
})

test('what was sent before enabling is not counted, what follows is (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  w.romeo.sends('<presence/>')
  w.romeo.sends(`${chat(JULIET, 'one')}<enable ${SM}/>${chat(JULIET, 'two')}<r ${SM}/>`)
  await w.romeo.finds(`<enabled ${SM}/>`)
  t.equal(await handled(w.romeo), 1)
})

test('every kind of stanza is counted, nonzas are not (XEP-0198 §1, §4)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.romeo.sends('<presence/>')
  w.romeo.sends(chat(JULIET, 'hi'))
  w.romeo.sends(`<r ${SM}/>`)
  w.romeo.sends(`<a ${SM} h='0'/>`)
  await w.romeo.asks('get', 'capulet.example', "<ping xmlns='urn:xmpp:ping'/>")
  w.romeo.sends("<message to='@'/>")
  w.romeo.sends("<iq type='set' id='x' to='nobody@capulet.example'><x xmlns='y'/></iq>")
  await w.romeo.clears()
  t.equal(await handled(w.romeo), 5)
})

test('the rest includes what still waited for its turn when the client asked (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  // More than may be on their way to the disk at once (LIM-open-commits).
  const many = Array.from({ length: 300 }, (_, i) => chat(JULIET, `${i}`)).join('')
  w.romeo.sends(`${many}<r ${SM}/>`)
  await w.romeo.settle()
  const told = w.romeo.inbox.filter((element) => element.is('a'))
  t.equal(told.at(-1)?.attrs.h, '300')
})

test('one answer comes when what came is on disk (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.romeo.sends(`${chat(JULIET, 'one')}${chat(JULIET, 'two')}<r ${SM}/>`)
  t.strictSame(w.romeo.inbox, [], 'nothing is on disk yet')
  await w.romeo.receives(`<a ${SM} h='2'/>`)
  await w.romeo.receivesNothing()
  w.romeo.sends(`<r ${SM}/>`)
  t.equal(w.romeo.inbox.shift()?.attrs.h, '2', 'at once where everything is')
})

test('nothing is said unasked to who has not asked', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.romeo.receivesNothing()
})

test('the client is asked after some stanzas, or after a second (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  await enable(w.romeo)
  for (let i = 0; i < 7; i++) w.juliet.sends(chat(ROMEO, `n${i}`))
  await w.settle()
  t.notOk(w.romeo.inbox.some((element) => element.is('r')))
  w.juliet.sends(chat(ROMEO, 'n7'))
  await w.romeo.finds(`<r ${SM}/>`)
  for (let i = 0; i < 20; i++) w.juliet.sends(chat(ROMEO, `m${i}`))
  await w.settle()
  t.notOk(
    w.romeo.inbox.some((element) => element.is('r')),
    'one request at a time',
  )
  await w.romeo.clears()
  w.romeo.sends(`<a ${SM} h='28'/>`)
  w.juliet.sends(chat(ROMEO, 'last'))
  await w.settle()
  await waits(w, 1)
  await w.romeo.finds(`<r ${SM}/>`)
  await waits(w, 3)
  await w.romeo.finds('<message><body>last</body></message>')
  await w.romeo.receivesNothing()
})

test('who does not answer for a minute is detached, and its session waits (LIM-ack-wait)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  await enable(w.romeo)
  w.juliet.sends(chat(ROMEO, 'hello?'))
  await waits(w, 60)
  t.notOk(w.romeo.closed)
  await waits(w, 3)
  t.ok(w.romeo.closed)
  t.ok(w.romeo.streamError?.getChild('connection-timeout'))
  const [session] = w.server.hosts
    .get('capulet.example')!
    .sessions.of((await import('../../../lib/xmpp/jid.js')).Jid.parse(ROMEO))
  t.ok(session?.available, 'it stays available')
})

test('more acknowledged than was sent ends the stream (XEP-0198 §6, F23)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.juliet.sends(chat(w.romeo.jid, 'one'))
  await w.romeo.finds('<message/>')
  w.romeo.sends(`<a ${SM} h='2'/>`)
  await w.settle()
  t.ok(w.romeo.streamError?.getChild('undefined-condition'))
  const reason = w.romeo.streamError?.getChild('handled-count-too-high', 'urn:xmpp:sm:3')
  t.match(reason?.attrs, { h: '2', 'send-count': '1' })
})

for (const h of ['-1', '4294967296', 'NaN', '1.5', '', '0x1', '99999999999999999999'])
  test(`h='${h}' is no count (F23)`, async (t) => {
    const w = await managed(t)
    await enable(w.romeo)
    w.romeo.sends(`<a ${SM} h='${h}'/>`)
    await w.settle()
    t.ok(w.romeo.streamError)
    t.ok(w.romeo.closed)
  })

test('h=2^32-1 of nothing is too high; a count that was true earlier says nothing (F23)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  await enable(w.juliet)
  w.juliet.sends(chat(w.romeo.jid, 'one'))
  await w.romeo.finds('<message/>')
  w.romeo.sends(`<a ${SM} h='1'/><a ${SM} h='0'/>`)
  await w.settle()
  t.notOk(w.romeo.closed)
  w.juliet.sends(`<a ${SM} h='4294967295'/>`)
  await w.settle()
  t.ok(w.juliet.streamError?.getChild('undefined-condition'))
})

test('acknowledgements before enabling are unexpected', async (t) => {
  const w = await managed(t)
  w.romeo.sends(`<r ${SM}/>`)
  await w.romeo.receives(`<failed ${SM}>${UNEXPECTED}</failed>`)
})

/** Its number, as its id has it */
const numberOf = (id: string) => Number.parseInt(id, 36)
const after = (number: number, by = 1) => number - (number % 4096) + ((number + by) % 4096)

test('sessions of all hosts have numbers of their own, also in one millisecond', async (t) => {
  const w = await managed(t, {
    hosts: ['montague.example'],
    people: ['romeo@montague.example', 'romeo', 'juliet'],
  })
  const first = numberOf(await enable(w.romeo))
  const second = numberOf(await enable(w.person('romeo@montague.example')))
  t.equal(second, after(first))
  const { reader, knex } = w.server.database
  const row = await reader('sm_sessions').where({ number: first }).first()
  // Another node has had the same thought.
  await knex('sm_sessions').insert({ ...row, number: after(first, 2) })
  t.equal(numberOf(await enable(w.juliet)), after(first, 3))
})
