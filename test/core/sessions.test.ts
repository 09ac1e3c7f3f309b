// Binding a resource (RFC 6120 §7), and how sessions end.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Client } from '../world/client.js'
import { DOMAIN, type World, world } from '../world/world.js'

const ROMEO = `romeo@${DOMAIN}`
const ask = (resource: string) =>
  `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${resource}</bind>`

/** Logged in, and not bound yet. */
async function authenticated(w: World, account = ROMEO): Promise<Client> {
  const client = w.stranger({ account })
  client.open()
  client.transport.feed(`<login xmlns='urn:tercet:world'>${account}</login>`)
  await client.clears()
  return client
}

const sessions = (w: World) => w.server.hosts.get(DOMAIN)!.sessions

test('a client that asks for no resource is given one that is not to be guessed (RFC 6120 §7.6)', async (t) => {
  const w = await world(t)
  const seen = new Set<string>()
  for (const resource of ['', '<resource/>', '<resource></resource>']) {
    const client = await authenticated(w)
    const answer = await client.asks('set', undefined, ask(resource))
    const jid = answer.getChild('bind')?.getChildText('jid')
    t.match(jid, /^romeo@capulet\.example\/[\w-]{12}$/)
    seen.add(jid!)
  }
  t.equal(seen.size, 3)
})

test('a client gets the resource that it asks for, prepared (RFC 6120 §7.7, RFC 7622 §3.4)', async (t) => {
  const w = await world(t)
  const client = await authenticated(w)
  const answer = await client.asks('set', undefined, ask('<resource>cafe\u0301 ☕</resource>'))
  t.equal(answer.getChild('bind')?.getChildText('jid'), `${ROMEO}/caf\u00e9 ☕`)
})

test('a resource that there cannot be is refused, and another may be asked for (RFC 6120 §7.7.2.1)', async (t) => {
  const w = await world(t)
  const client = await authenticated(w)
  for (const resource of ['&#x85;', 'x'.repeat(1024)]) {
    const answer = await client.asks('set', undefined, ask(`<resource>${resource}</resource>`))
    t.ok(answer.getChild('error')?.getChild('bad-request'), resource.slice(0, 10))
  }
  const answer = await client.asks('set', undefined, ask('<resource>balcony</resource>'))
  t.equal(answer.attrs.type, 'result')
})

test('the newcomer wins: the older stream hears conflict and ends (RFC 6120 §7.7.2.2)', async (t) => {
  const w = await world(t, { modules: ['presence'] })
  await w.romeo.comesOnline()
  const old = sessions(w).find(Jid.parse(w.romeo.jid))
  const again = await w.device('romeo', 'phone')
  t.ok(w.romeo.streamError?.getChild('conflict'))
  t.ok(w.romeo.closed)
  t.equal(again.jid, w.romeo.jid)
  t.not(sessions(w).find(Jid.parse(again.jid)), old)
  t.equal(sessions(w).of(Jid.parse(ROMEO)).length, 1)
  w.juliet.sends(`<message to='${again.jid}'><body>which of you?</body></message>`)
  await again.receives('<message><body>which of you?</body></message>')
})

test('many who ask for one resource at once: one is left, and the directory knows it alone', async (t) => {
  const w = await world(t)
  const clients = await Promise.all(Array.from({ length: 5 }, () => authenticated(w)))
  for (const client of clients)
    client.sends(`<iq type='set' id='b'>${ask('<resource>tomb</resource>')}</iq>`)
  await w.settle()
  t.equal(clients.filter(({ closed }) => !closed).length, 1)
  const jid = Jid.parse(`${ROMEO}/tomb`)
  const places = await w.server.directory.lookup(ROMEO)
  t.same(
    places.filter(({ resource }) => resource === 'tomb').map(({ id }) => id),
    [sessions(w).find(jid)?.id],
  )
})

test('an account has at most twenty sessions (LIM-sessions-per-account, RFC 6120 §7.6.2.1)', async (t) => {
  const w = await world(t)
  const devices: Client[] = []
  for (let i = 1; i < 20; i++) devices.push(await w.device('romeo', `device ${i}`))
  const late = await authenticated(w)
  const answer = await late.asks('set', undefined, ask('<resource>one too many</resource>'))
  t.ok(answer.getChild('error')?.getChild('resource-constraint'))
  t.equal(sessions(w).of(Jid.parse(ROMEO)).length, 20)
  const same = await late.asks('set', undefined, ask('<resource>device 3</resource>'))
  t.equal(same.attrs.type, 'result', 'who takes the place of another adds none')
  await devices[5]!.leaves()
  await w.device('romeo', 'now there is room')
})

test('an account that is disabled is there but cannot bind', async (t) => {
  const w = await world(t, { loggedIn: false })
  await w.server.run(DOMAIN, 'user disable', { jids: ROMEO })
  t.ok(await w.server.hosts.get(DOMAIN)!.numberOf(Jid.parse(ROMEO)))
  const client = await authenticated(w)
  const answer = await client.asks('set', undefined, ask('<resource>x</resource>'))
  t.ok(answer.getChild('error')?.getChild('not-authorized'))
})

test('what is bound is in the directory, and what ended is not', async (t) => {
  const w = await world(t, { loggedIn: false })
  const phone = await w.device('romeo', 'phone')
  const laptop = await w.device('romeo', 'laptop')
  const resources = async () =>
    (await w.server.directory.lookup(ROMEO)).map(({ resource }) => resource).sort()
  t.same(await resources(), ['laptop', 'phone'])
  await phone.leaves()
  t.same(await resources(), ['laptop'])
  await laptop.breaks()
  t.same(await resources(), [])
  t.equal(sessions(w).size, 0)
  t.equal(w.server.streams.size, 0)
})

test('a place is the session that it names, until that has ended', async (t) => {
  const w = await world(t)
  const client = await authenticated(w)
  await client.asks('set', undefined, ask('<resource>tomb</resource>'))
  const session = sessions(w).find(Jid.parse(`${ROMEO}/tomb`))!
  const { id, node, resource, available, priority } = session
  const told = { id, node, resource, available, priority }
  t.equal(sessions(w).inPlace(session), session)
  t.equal(sessions(w).inPlace(told), session)
  session.close()
  await w.settle()
  t.equal(sessions(w).inPlace(session), undefined)
  t.equal(sessions(w).inPlace(told), undefined)
})

test('a bind that fails leaves nothing behind', async (t) => {
  const w = await world(t, { mayFail: true })
  const client = await authenticated(w)
  const { directory } = w.server
  const put = directory.put
  directory.put = () => Promise.reject(new Error('the directory is away'))
  client.sends(`<iq type='set' id='b'>${ask('<resource>tomb</resource>')}</iq>`)
  await w.settle()
  directory.put = put
  t.ok(client.closed)
  t.notOk(sessions(w).find(Jid.parse(`${ROMEO}/tomb`)))
})

test('a session that is ended while it binds is nowhere afterwards', async (t) => {
  const ending = defineModule({
    name: 'ending',
    summary: 'Ends whoever binds a tomb',
    setup: () => ({
      on: {
        async 'session:bound'({ session }) {
          await new Promise((resolve) => setImmediate(resolve))
          if (session.resource === 'tomb') session.close(new StreamError('policy-violation'))
        },
      },
    }),
  })
  const w = await world(t, { modules: [ending] })
  const client = await authenticated(w)
  client.sends(`<iq type='set' id='b'>${ask('<resource>tomb</resource>')}</iq>`)
  await w.settle()
  t.ok(client.closed)
  t.notOk(sessions(w).find(Jid.parse(`${ROMEO}/tomb`)))
  const places = await w.server.directory.lookup(ROMEO)
  t.notOk(places.some(({ resource }) => resource === 'tomb'))
})

test('everybody hears how a session comes and goes, once', async (t) => {
  const said: string[] = []
  const watch = defineModule({
    name: 'watch',
    summary: 'Watches sessions',
    setup: (host) => {
      const note = (what: string) => (event: { session: { jid: Jid } }) => {
        const listed = host.sessions.find(event.session.jid) !== undefined
        said.push(`${what} ${event.session.jid.resource} ${listed ? 'listed' : 'gone'}`)
      }
      return {
        on: {
          'session:bound': note('bound'),
          'session:detached': note('detached'),
          'session:closed': note('closed'),
        },
      }
    },
  })
  const w = await world(t, { modules: [watch], people: ['romeo'], loggedIn: false })
  const phone = await w.device('romeo', 'phone')
  await phone.breaks()
  sessions(w).remove({ id: 'nobody' } as never)
  t.same(said, ['bound phone listed', 'detached phone listed', 'closed phone gone'])
})
