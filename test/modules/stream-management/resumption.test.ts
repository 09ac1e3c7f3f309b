// Resumption within one process (XEP-0198 §5, §7, §9), and what becomes of what nobody acknowledged (§4).

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { World } from '../../world/world.js'
import { bodies, chat, connects, enable, handled, managed, resumes, SM, waits } from './sm-world.js'

const JULIET = 'juliet@capulet.example'
const ROMEO = 'romeo@capulet.example'
const NOT_FOUND = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

function sessionsOf(w: World, account: string, node = 0) {
  return w.servers[node]!.hosts.get('capulet.example')!.sessions.of(Jid.parse(account))
}

test('what was not acknowledged comes again, in order, and nothing twice (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  for (const body of ['one', 'two', 'three']) w.juliet.sends(chat(ROMEO, body))
  await w.romeo.clears()
  await w.romeo.breaks()
  for (const body of ['four', 'five']) w.juliet.sends(chat(ROMEO, body))
  await w.settle()
  const again = await resumes(w, 'romeo', { id, h: 2 })
  await again.receives(`<resumed ${SM} h='0' previd='${id}'/>`)
  t.same(bodies(again), ['three', 'four', 'five'])
  again.inbox = []
  again.sends(`<a ${SM} h='5'/>`)
  w.juliet.sends(chat(ROMEO, 'six'))
  await again.receives('<message><body>six</body></message>')
  again.sends(chat(JULIET, 'back'))
  t.equal(await handled(again), 1, 'counting goes on')
})

test('what comes late says so, what comes at once does not (XEP-0203)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  const id = await enable(w.romeo).catch(() => '')
  await w.romeo.clears()
  await w.romeo.breaks()
  w.juliet.sends(chat(ROMEO, 'late'))
  await w.settle()
  const again = await resumes(w, 'romeo', { id: id || lastId(w), h: 0 })
  const message = await again.finds('<message><body>late</body></message>')
  t.ok(message.getChild('delay', 'urn:xmpp:delay'))
  w.juliet.sends(chat(ROMEO, 'live'))
  const live = await again.finds('<message><body>live</body></message>')
  t.notOk(live.getChild('delay'))
})

function lastId(w: World): string {
  const text = w.romeo.transcript.find((line) => line.startsWith('<enabled'))
  return / id='([^']+)'/.exec(text ?? '')?.[1] ?? ''
}

test('a session that lingers stays available, and its contacts hear nothing (XEP-0198 §7)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  const other = await w.device('romeo', 'tablet')
  await other.comesOnline()
  await other.clears()
  await w.romeo.breaks()
  await other.receivesNothing()
  await resumes(w, 'romeo', { id, h: 0 })
  await other.receivesNothing()
  t.equal(sessionsOf(w, ROMEO).length, 2)
})

test('a closing tag ends the session (XEP-0198 §7)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  await w.romeo.leaves()
  t.equal(sessionsOf(w, ROMEO).length, 0)
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<failed ${SM} h='0'>${NOT_FOUND}</failed>`)
})

test('the old stream ends with conflict, and what it had brought counts (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one') + chat(JULIET, 'two'))
  const again = await resumes(w, 'romeo', { id, h: 0 })
  t.ok(w.romeo.streamError?.getChild('conflict'))
  await again.receives(`<resumed ${SM} h='2' previd='${id}'/>`)
  t.equal(sessionsOf(w, ROMEO).length, 1)
  t.equal(sessionsOf(w, ROMEO)[0]!.resource, 'phone')
})

test('two that resume at once: one owner is left (F23)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const rivals = await Promise.all([1, 2, 3].map(() => connects(w, 'romeo')))
  for (const rival of rivals) rival.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await w.settle()
  t.equal(rivals.filter(({ closed }) => !closed).length, 1)
  t.equal(sessionsOf(w, ROMEO).length, 1)
  const [owner] = rivals.filter(({ closed }) => !closed)
  w.juliet.sends(chat(`${ROMEO}/phone`, 'to one'))
  await owner!.finds('<message><body>to one</body></message>')
})

test('an id of somebody else is unknown, and that person goes on (SEC-26)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.juliet)
  const again = await resumes(w, 'romeo', { id, h: 0 })
  const answer = await again.receives(`<failed ${SM}>${NOT_FOUND}</failed>`)
  t.notOk('h' in answer.attrs, 'not even that it is there')
  t.notOk(w.juliet.closed)
})

test('an account of the same name on another host is another one (SEC-11)', async (t) => {
  const w = await managed(t, {
    hosts: ['montague.example'],
    people: ['romeo', 'romeo@montague.example'],
  })
  const id = await enable(w.romeo)
  const other = await connects(w, 'romeo@montague.example')
  other.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  const answer = await other.receives(`<failed ${SM}>${NOT_FOUND}</failed>`)
  t.notOk('h' in answer.attrs)
  t.notOk(w.romeo.closed)
})

test('before the login there is nothing to resume (XEP-0198 §10)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const client = w.stranger()
  client.open()
  client.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await client.settle()
  t.ok(client.closed)
  t.notOk(w.romeo.closed)
})

for (const previd of ['', 'x', '1-2', '!', 'zzzzzzzzzzz-aaaa', "a' or 1=1"])
  test(`an id like ${JSON.stringify(previd)} is unknown, and the client may bind (XEP-0198 §5)`, async (t) => {
    const w = await managed(t)
    const client = await connects(w, 'romeo')
    client.sends(`<resume ${SM} previd="${previd}" h='0'/>`)
    await client.receives(`<failed ${SM}>${NOT_FOUND}</failed>`)
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    t.equal((await client.asks('set', undefined, bind)).attrs.type, 'result')
    await enable(client)
  })

for (const h of ['', '-1', 'NaN', '4294967296'])
  test(`resuming with h='${h}' fails, and the session waits (F23)`, async (t) => {
    const w = await managed(t)
    const id = await enable(w.romeo)
    await w.romeo.breaks()
    const client = await connects(w, 'romeo')
    client.sends(`<resume ${SM} previd='${id}' h='${h}'/>`)
    await client.receives(`<failed ${SM}/>`)
    const again = await resumes(w, 'romeo', { id, h: 0 })
    await again.receives(`<resumed ${SM}/>`)
  })

test('resuming with more than was sent ends the new stream (XEP-0198 §6, F23)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  await w.romeo.breaks()
  const greedy = await resumes(w, 'romeo', { id, h: 1 })
  t.ok(greedy.streamError?.getChild('handled-count-too-high'))
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
})

test('who says too much takes the stream from nobody (XEP-0198 §6)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const greedy = await resumes(w, 'romeo', { id, h: 1 })
  t.ok(greedy.streamError?.getChild('handled-count-too-high'))
  t.notOk(w.romeo.closed)
  t.equal(await handled(w.romeo), 0)
  await w.romeo.breaks()
  await waits(w, 601)
  t.equal(sessionsOf(w, ROMEO).length, 0, 'nor does its session stay for ever')
})

test('nothing is said before the resumption is (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const again = await connects(w, 'romeo')
  w.romeo.sends(`${chat(JULIET, 'one')}<r ${SM}/>`)
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await again.receives(`<resumed ${SM} h='1'/>`)
  await again.receivesNothing()
})

test('who has less than it said before is told that it cannot go on', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  w.juliet.sends(chat(ROMEO, 'one'))
  await w.settle()
  w.romeo.sends(`<a ${SM} h='1'/>`)
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<failed ${SM} h='0'>${NOT_FOUND}</failed>`)
})

test('resuming after binding is unexpected (XEP-0198 §3, F23)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  await w.romeo.breaks()
  const other = await w.device('romeo', 'tablet')
  other.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await other.receives(
    `<failed ${SM}><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`,
  )
})

test('an absence ends after the time that was said, and its count is known still (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const other = await w.device('romeo', 'tablet')
  await other.comesOnline()
  await w.romeo.comesOnline()
  await w.romeo.clears()
  w.romeo.sends(`<enable ${SM} resume='true' max='30'/>`)
  const id = String((await w.romeo.receives(`<enabled ${SM} max='30'/>`)).attrs.id)
  w.romeo.sends(`<message to='${JULIET}'><body>hi</body></message>`)
  await w.romeo.breaks()
  await other.clears()
  await waits(w, 29)
  await other.receivesNothing()
  await waits(w, 2)
  await other.receives(`<presence type='unavailable' from='${ROMEO}/phone'/>`)
  t.equal(sessionsOf(w, ROMEO).length, 1)
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
})

for (const hours of [1, -1, 24, -24])
  test(`a clock that jumps by ${hours} h ends no absence and no stream (F15, XEP-0198 §4, §5)`, async (t) => {
    const w = await managed(t)
    const id = await enable(w.romeo)
    await w.romeo.breaks()
    w.clock.jump(hours * 3600_000)
    await waits(w, 2)
    const again = await resumes(w, 'romeo', { id, h: 0 })
    await again.receives(`<resumed ${SM}/>`)
    again.sends(`<message to='${ROMEO}/phone'><body>to be acknowledged</body></message>`)
    await waits(w, 2)
    w.clock.jump(hours * 3600_000)
    await waits(w, 2)
    t.equal(sessionsOf(w, ROMEO)[0]?.stream === undefined, false)
  })

test('at the end requests are answered and messages that are in no log go elsewhere (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  await enable(w.romeo, "resume='true' max='20'")
  await w.romeo.breaks()
  const hint = "<no-store xmlns='urn:xmpp:hints'/>"
  w.juliet.sends(`<iq type='get' id='q' to='${ROMEO}/phone'><ping xmlns='urn:xmpp:ping'/></iq>`)
  w.juliet.sends(`<message type='chat' to='${ROMEO}/phone'><body>fleeting</body>${hint}</message>`)
  w.juliet.sends(`<message type='chat' to='${ROMEO}/phone'><body>kept</body></message>`)
  const state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
  w.juliet.sends(`<message type='chat' to='${ROMEO}/phone'>${state}</message>`)
  await w.juliet.receivesNothing()
  const tablet = await w.device('romeo', 'tablet')
  await tablet.comesOnline()
  await tablet.clears()
  await waits(w, 21)
  await w.juliet.finds("<iq type='error' id='q'><error><service-unavailable/></error></iq>")
  const got = await tablet.finds('<message><body>fleeting</body></message>')
  t.ok(got.getChild('delay', 'urn:xmpp:delay'))
  t.same(bodies(tablet), [], 'the archive has the other one')
  await w.juliet.receivesNothing()
})

test('binding the same resource ends a session that lingers', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.romeo.breaks()
  const fresh = await w.device('romeo', 'phone')
  t.equal(fresh.jid, `${ROMEO}/phone`)
  t.equal(sessionsOf(w, ROMEO).length, 1)
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
})

test('of twenty sessions the oldest that waits ends for a new one (LIM-sessions-per-account)', async (t) => {
  const w = await managed(t)
  for (let i = 0; i < 19; i++) {
    const device = await w.device('romeo', `d${i}`)
    await enable(device)
    if (i === 3 || i === 5) await device.breaks()
  }
  await w.device('romeo', 'one more')
  const resources = sessionsOf(w, ROMEO).map(({ resource }) => resource)
  t.equal(resources.length, 20)
  t.notOk(resources.includes('d3'))
  t.ok(resources.includes('d5'))
})

test('counters wrap at 2^32 in both directions (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  const near = 2 ** 32 - 2
  const [session] = sessionsOf(w, ROMEO)
  session!.keep(session!.keeper!, near)
  const keeper = session!.keeper as unknown as { preset(count: number): void }
  keeper.preset(near)
  for (const body of ['a', 'b', 'c']) w.romeo.sends(chat(JULIET, body))
  t.equal(await handled(w.romeo), 1)
  for (const body of ['x', 'y', 'z']) w.juliet.sends(chat(ROMEO, body))
  await w.romeo.clears()
  w.romeo.sends(`<a ${SM} h='4294967295'/>`)
  w.romeo.sends(`<a ${SM} h='0'/>`)
  await w.settle()
  t.notOk(w.romeo.closed)
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM} h='1'/>`)
  t.same(bodies(again), ['z'])
  again.sends(`<a ${SM} h='2'/>`)
  await w.settle()
  t.ok(again.streamError?.getChild('handled-count-too-high'))
})

test('a stanza that makes its client end the stream three times is left out (SEC-07)', async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  for (const body of ['fine', 'poison', 'more']) w.juliet.sends(chat(ROMEO, body))
  await w.settle()
  let client = w.romeo
  const rejects = async (): Promise<void> => {
    const text = "<bad-format xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    client.sends(`<stream:error>${text}</stream:error></stream:stream>`)
    await w.settle()
    client = await resumes(w, 'romeo', { id, h: 1 })
    await client.receives(`<resumed ${SM}/>`)
  }
  await rejects()
  t.same(bodies(client), ['poison', 'more'])
  await rejects()
  t.same(bodies(client), ['poison', 'more'])
  await rejects()
  t.same(bodies(client), ['more'])
  t.ok(w.log.some((line) => line.includes('rejects')))
  client.sends(`<a ${SM} h='2'/>`)
  await w.settle()
  t.notOk(client.closed)
})

test("broken connections are nobody's poison", async (t) => {
  const w = await managed(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  w.juliet.sends(chat(ROMEO, 'dear'))
  await w.settle()
  let client = w.romeo
  for (let i = 0; i < 6; i++) {
    await client.breaks()
    client = await resumes(w, 'romeo', { id, h: 0 })
  }
  t.same(bodies(client), ['dear'])
})
