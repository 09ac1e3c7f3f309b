// Clients that take less than they are sent (LIM-sm-queue): memory is bounded, nothing that lasts is
// lost, and everything else is answered or stands for itself.

import { type Test, test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { ManagedSession } from '../../../modules/stream-management/managed-session.js'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { bodies, chat, enable, managed, resumes, SM, waits } from './sm-world.js'

const JULIET = 'juliet@capulet.example'
const ROMEO = 'romeo@capulet.example'
const BOUND = 20

function small(t: Test): Promise<World> {
  const options = { 'stream-management': { queue: BOUND, queue_size: '64 KiB' } }
  return managed(t, { options, database: 'sqlite' })
}

function keeperOf(w: World, account = ROMEO): ManagedSession {
  const [session] = w.server.hosts.get('capulet.example')!.sessions.of(Jid.parse(account))
  if (!(session?.keeper instanceof ManagedSession)) throw new Error('there is no managed session')
  return session.keeper
}

async function befriend(w: World): Promise<void> {
  w.juliet.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  await w.settle()
  w.romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  w.romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await w.settle()
  w.juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await w.romeo.clears()
  await w.juliet.clears()
}

async function away(w: World): Promise<string> {
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  await w.romeo.breaks()
  return id
}

async function sendMany(w: World, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    w.juliet.sends(chat(ROMEO, `n${i}`))
    if (i % 10 === 9) await w.settle()
  }
  await w.settle()
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `n${from + i}`)

/** Takes and acknowledges until nothing more comes. */
async function drains(client: Client, h = 0): Promise<string[]> {
  const got: string[] = []
  let handled = h
  for (let empty = 0; empty < 2; ) {
    await client.settle()
    const stanzas = client.inbox.filter((each) => /^(message|presence|iq)$/.test(each.getName()))
    got.push(...bodies(client))
    handled += stanzas.length
    empty = stanzas.length === 0 ? empty + 1 : 0
    client.inbox = []
    client.sends(`<a ${SM} h='${handled}'/>`)
  }
  return got
}

test('many messages for somebody who is away cost no memory, and all of them come', async (t) => {
  const w = await small(t)
  const id = await away(w)
  await sendMany(w, 0, 100)
  const { outbox, session } = keeperOf(w)
  t.ok(outbox.length <= BOUND)
  t.ok(session.behind)
  t.ok(
    [...outbox].every((owed) => !('stanza' in owed)),
    'texts are in the log alone',
  )
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  const first = bodies(again)
  t.ok(first.length < 100, 'not everything at once')
  const got = await drains(again)
  t.same(got, numbers(0, 100))
  await sendMany(w, 100, 101)
  t.same(bodies(again), ['n100'], 'and then it is live')
})

test('a client that does not acknowledge is sent no more than the bound (F13)', async (t) => {
  const w = await small(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  await enable(w.romeo)
  await sendMany(w, 0, 200)
  t.same(bodies(w.romeo), numbers(0, BOUND))
  t.ok(keeperOf(w).outbox.length <= BOUND)
  t.same(await drains(w.romeo), numbers(0, 200))
})

test('bytes count as well as stanzas', async (t) => {
  const w = await small(t)
  const id = await away(w)
  const text = 'x'.repeat(10_000)
  for (let i = 0; i < 12; i++) {
    w.juliet.sends(chat(ROMEO, `${i} ${text}`))
    await w.settle()
  }
  const { outbox } = keeperOf(w)
  t.ok(outbox.length < 6)
  t.ok(outbox.bytes < 100_000)
  const again = await resumes(w, 'romeo', { id, h: 0 })
  const got = await drains(again)
  t.same(
    got.map((body) => body.split(' ')[0]),
    numbers(0, 12).map((name) => name.slice(1)),
  )
})

test('a stream that is not read is given no more, and its session waits when it breaks', async (t) => {
  const w = await managed(t, { database: 'sqlite' })
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  const long = 'x'.repeat(100_000)
  w.romeo.transport.buffered = 10_000_000
  for (let i = 0; i < 3; i++)
    w.juliet.sends(`<message type='chat' to='${ROMEO}'><body>n${i} ${long}</body></message>`)
  await w.settle()
  const before = bodies(w.romeo).length
  await sendMany(w, 3, 10)
  t.equal(bodies(w.romeo).length, before)
  w.romeo.transport.buffered = 0
  w.clock.advance(100)
  await w.settle()
  const got = (await drains(w.romeo)).map((body) => body.split(' ')[0])
  t.same(got, numbers(0, 10))
  w.romeo.transport.buffered = 10_000_000
  await sendMany(w, 10, 15)
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 10 })
  t.same(
    (await drains(again, 10)).filter((body) => body !== ''),
    numbers(10, 15),
  )
})

test('of presence the latest of each sender comes, and chat states are gone', async (t) => {
  const w = await small(t)
  await befriend(w)
  await w.juliet.comesOnline()
  const id = await away(w)
  await sendMany(w, 0, BOUND + 1)
  const state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
  for (let i = 0; i < 50; i++) {
    w.juliet.sends(`<presence><status>${i}</status></presence>`)
    w.juliet.sends(`<message to='${ROMEO}/phone' type='chat'>${state}</message>`)
  }
  await w.settle()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  const seen: string[] = []
  let h = 0
  for (let round = 0; round < 4; round++) {
    const { inbox } = again
    h += inbox.filter((each) => /^(message|presence|iq)$/.test(each.getName())).length
    t.notOk(inbox.some((each) => each.getChild('composing')))
    for (const each of inbox) if (each.is('presence')) seen.push(each.getChildText('status') ?? '')
    again.inbox = []
    again.sends(`<a ${SM} h='${h}'/>`)
    await w.settle()
  }
  t.same(seen, ['49'])
})

test('a stranger cannot fill the place of presence (LIM-presence-held)', async (t) => {
  const w = await small(t)
  await away(w)
  await sendMany(w, 0, BOUND + 1)
  const { session } = keeperOf(w)
  const { Envelope } = await import('../../../lib/xmpp/envelope.js')
  const { Stanza } = await import('../../../lib/xmpp/stanza.js')
  const { Overflow } = await import('../../../modules/stream-management/overflow.js')
  const overflow = new Overflow(session)
  for (let i = 0; i < 1500; i++) {
    const from = Jid.parse(`room@chat.example/${i}`)
    const stanza = Stanza.parse('<presence/>')
    const at = { from, to: session.jid, origin: 'local', arrived: 0 } as const
    t.equal(overflow.mustQueue(new Envelope({ stanza, ...at })), false, { skip: false })
  }
  t.equal(overflow.size, 1000)
  t.equal(overflow.release().at(-1)?.from.resource, '1499')
})

test('requests to somebody who takes no more are answered, and so is what no log keeps', async (t) => {
  const w = await small(t)
  const id = await away(w)
  await sendMany(w, 0, BOUND + 1)
  await w.juliet.clears()
  w.juliet.sends(`<iq type='get' id='q' to='${ROMEO}/phone'><ping xmlns='urn:xmpp:ping'/></iq>`)
  await w.juliet.receives(
    "<iq type='error' id='q'><error type='wait'><recipient-unavailable/></error></iq>",
  )
  const hint = "<no-store xmlns='urn:xmpp:hints'/>"
  w.juliet.sends(`<message id='m' type='chat' to='${ROMEO}/phone'><body>x</body>${hint}</message>`)
  await w.juliet.receives("<message type='error' id='m'><error type='wait'/></message>")
  const again = await resumes(w, 'romeo', { id, h: 0 })
  t.same(await drains(again), numbers(0, BOUND + 1))
})

test('what another device takes is not sent back, and what none takes is, once (RFC 6121 §8.5.2.1.1)', async (t) => {
  const w = await small(t)
  await away(w)
  await sendMany(w, 0, BOUND + 1)
  const tablet = await w.device('romeo', 'tablet')
  await tablet.comesOnline()
  await enable(tablet)
  await w.juliet.clears()
  const hint = "<no-store xmlns='urn:xmpp:hints'/>"
  const fleeting = (id: string) =>
    `<message id='${id}' type='chat' to='${ROMEO}'><body>${id}</body>${hint}</message>`
  w.juliet.sends(fleeting('taken'))
  await tablet.finds('<message><body>taken</body></message>')
  await w.juliet.receivesNothing()
  await tablet.breaks()
  await sendMany(w, 0, BOUND + 1)
  w.juliet.sends(fleeting('not taken'))
  await w.juliet.receives("<message type='error' id='not taken'><error type='wait'/></message>")
  await w.juliet.receivesNothing()
})

test('a roster is up to date after it was too much (RFC 6121 §2.1.6)', async (t) => {
  const w = await small(t)
  await w.romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  const id = await away(w)
  await sendMany(w, 0, BOUND + 1)
  const tablet = await w.device('romeo', 'tablet')
  const item = "<query xmlns='jabber:iq:roster'><item jid='nurse@capulet.example'/></query>"
  t.equal((await tablet.asks('set', undefined, item)).attrs.type, 'result')
  const again = await resumes(w, 'romeo', { id, h: 0 })
  const pushes: string[] = []
  let h = 0
  for (let round = 0; round < 4; round++) {
    const { inbox } = again
    h += inbox.filter((each) => /^(message|presence|iq)$/.test(each.getName())).length
    for (const each of inbox) {
      const pushed = each.getChild('query', 'jabber:iq:roster')?.getChild('item')
      if (pushed) pushes.push(pushed.attrs.jid)
    }
    again.inbox = []
    again.sends(`<a ${SM} h='${h}'/>`)
    await w.settle()
  }
  t.same(pushes, ['nurse@capulet.example'])
})

test('a log that cannot be read for a moment leaves no client without its messages', async (t) => {
  const options = { 'stream-management': { queue: BOUND } }
  const w = await managed(t, { options, database: 'sqlite', mayFail: true })
  const id = await away(w)
  await sendMany(w, 0, BOUND + 5)
  const { messages } = w.server.hosts.get('capulet.example')!
  const { page } = messages
  messages.page = () => Promise.reject(new Error('the database is away'))
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  await waits(w, 3)
  t.same(bodies(again), [])
  t.equal(w.log.filter((line) => line.includes('is away')).length, 1, 'it is said once')
  messages.page = page
  await waits(w, 1)
  t.same(await drains(again), numbers(0, BOUND + 5))
})

test('who asks for more and more and acknowledges nothing is put out, and may come again', async (t) => {
  const w = await small(t)
  const id = await enable(w.romeo)
  for (let i = 0; i < BOUND * 8 + 20; i++)
    w.romeo.sends(
      `<iq type='get' id='p${i}' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>`,
    )
  await w.settle()
  t.ok(w.romeo.streamError?.getChild('policy-violation'))
  const again = await resumes(w, 'romeo', { id, h: 0 })
  const failed = await again.receives(`<failed ${SM}/>`)
  t.ok(Number(failed.attrs.h) > BOUND, 'nothing pretends to go on')
})

test('fifty that stop reading: memory stays bounded, and each gets everything', async (t) => {
  const people = Array.from({ length: 50 }, (_, i) => `reader${i}`)
  const options = { 'stream-management': { queue: BOUND } }
  const w = await managed(t, { people: ['juliet', ...people], options, database: 'sqlite' })
  const ids = new Map<string, string>()
  for (const name of people) {
    await w.person(name).comesOnline()
    await w.person(name).clears()
    ids.set(name, await enable(w.person(name)))
  }
  for (let i = 0; i < 60; i++) {
    for (const name of people) w.juliet.sends(chat(`${name}@capulet.example`, `n${i}`))
    if (i === 30) for (const name of people) w.person(name).transport.cut(new Error('it stalled'))
    await w.settle()
  }
  let texts = 0
  for (const name of people) {
    const { outbox } = keeperOf(w, `${name}@capulet.example`)
    t.ok(outbox.length <= BOUND + 1)
    for (const owed of outbox) if ('stanza' in owed) texts++
  }
  t.ok(texts <= people.length, 'what the log has is not in memory')
  for (const name of people.slice(0, 5)) {
    const again = await resumes(w, name, { id: ids.get(name)!, h: 0 })
    t.same(await drains(again), numbers(0, 60))
  }
  await waits(w, 1)
})
