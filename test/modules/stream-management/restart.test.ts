// Sessions that outlive their process (XEP-0198 §5): after an end in order, and after one without
// warning. On SQLite and on PostgreSQL alike.

import { type Test, test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { World, WorldOptions } from '../../world/world.js'
import { bodies, chat, connects, enable, handled, managed, resumes, SM, waits } from './sm-world.js'
import { until } from '../../world/until.js'

const JULIET = 'juliet@capulet.example'
const ROMEO = 'romeo@capulet.example'
const NOT_FOUND = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

type Databases = Record<string, () => Promise<string>>

const databases: Databases = {
  SQLite: async () => 'sqlite',
  PostgreSQL: freshPostgres,
}

function sessionsOf(w: World, account: string) {
  return w.server.hosts.get('capulet.example')!.sessions.of(Jid.parse(account))
}

async function friends(t: Test, options: WorldOptions): Promise<World> {
  const w = await managed(t, { loggedIn: false, ...options })
  await w.server.run('capulet.example', 'user add', {
    jid: 'nurse@capulet.example',
    password: 'secret',
  })
  return w
}

async function present(w: World, name: string, resource = 'phone'): Promise<Client> {
  const client = await w.device(name, resource)
  await client.comesOnline()
  await client.clears()
  return client
}

for (const [name, database] of Object.entries(databases)) {
  for (const kill of [true, false]) {
    const how = `${kill ? 'killed' : 'ended'} on ${name}`

    test(`what is acknowledged counts after the server was ${how}`, async (t) => {
      const w = await friends(t, { database: await database() })
      const romeo = await present(w, 'romeo')
      const id = await enable(romeo)
      romeo.sends(chat(JULIET, 'kept'))
      romeo.sends('<presence><show>away</show></presence>')
      const composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
      romeo.sends(`<message type='chat' to='${JULIET}'>${composing}</message>`)
      await romeo.asks('get', 'capulet.example', "<ping xmlns='urn:xmpp:ping'/>")
      t.equal(await handled(romeo), 4)
      await w.restart({ kill })
      const again = await resumes(w, 'romeo', { id, h: 0 })
      await again.receives(`<resumed ${SM} h='4' previd='${id}'/>`)
      const [session] = sessionsOf(w, ROMEO)
      t.equal(session?.resource, 'phone')
      t.equal(session?.presence?.stanza.text('show'), 'away')
      again.sends(chat(JULIET, 'more'))
      t.equal(await handled(again), 5)
    })

    test(`what was not acknowledged comes from the log after the server was ${how}`, async (t) => {
      const w = await friends(t, { database: await database() })
      const romeo = await present(w, 'romeo')
      const juliet = await present(w, 'juliet')
      const id = await enable(romeo)
      for (const body of ['one', 'two', 'three']) juliet.sends(chat(ROMEO, body))
      juliet.sends(chat(`${ROMEO}/phone`, 'to the phone'))
      await w.settle()
      const stanzaIds = romeo.inbox.map((element) => element.getChild('stanza-id')?.attrs.id)
      romeo.sends(`<a ${SM} h='1'/>`)
      await waits(w, 3)
      await w.restart({ kill })
      const other = await present(w, 'juliet')
      other.sends(chat(ROMEO, 'while away'))
      await w.settle()
      const again = await resumes(w, 'romeo', { id, h: 4 })
      await again.receives(`<resumed ${SM}/>`)
      // Which of them it has is only known where there was time to write it down.
      const repeated = kill ? ['two', 'three', 'to the phone'] : []
      t.same(bodies(again), [...repeated, 'while away'])
      const messages = again.inbox.filter((element) => element.is('message'))
      t.same(
        messages.slice(0, -1).map((element) => element.getChild('stanza-id')?.attrs.id),
        kill ? stanzaIds.slice(1, 4) : [],
        'known by the same id',
      )
      const sent = again.inbox.filter((element) => !element.is('r')).length
      again.inbox = []
      other.sends(chat(ROMEO, 'live'))
      await again.finds('<message><body>live</body></message>')
      again.sends(`<a ${SM} h='${4 + sent + 1}'/>`)
      await w.settle()
      t.notOk(again.closed, 'counts go on from what the client said')
    })
  }

  test(`an end in order repeats nothing, whatever was acknowledged (G8, ${name})`, async (t) => {
    const w = await friends(t, { database: await database() })
    const romeo = await present(w, 'romeo')
    const juliet = await present(w, 'juliet')
    const id = await enable(romeo)
    romeo.sends("<iq type='get' id='p' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>")
    for (let i = 0; i < 6; i++) juliet.sends(chat(ROMEO, `n${i}`))
    await w.settle()
    await w.restart()
    const again = await resumes(w, 'romeo', { id, h: 4 })
    await again.receives(`<resumed ${SM} h='1'/>`)
    t.same(bodies(again), ['n3', 'n4', 'n5'])
    const sent = again.inbox.filter((element) => !element.is('r')).length
    again.sends(`<a ${SM} h='${4 + sent}'/>`)
    await again.clears()
    await again.breaks()
    const other = await present(w, 'juliet')
    other.sends(chat(ROMEO, 'while away'))
    await w.settle()
    await w.restart({ kill: true })
    const last = await resumes(w, 'romeo', { id, h: 4 + sent })
    await last.receives(`<resumed ${SM}/>`)
    t.same(bodies(last), ['while away'], 'nor does a crash while it is away')
    t.notOk(last.closed)
  })

  test(`a request that nobody answers any more ends in an error (${name})`, async (t) => {
    const w = await friends(t, { database: await database() })
    const romeo = await present(w, 'romeo')
    await present(w, 'juliet')
    const id = await enable(romeo)
    romeo.sends(`<iq type='get' id='open' to='${JULIET}/phone'><q xmlns='x'/></iq>`)
    romeo.sends("<iq type='get' id='got' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.sends("<iq type='get' id='own'><ping xmlns='urn:xmpp:ping'/></iq>")
    await romeo.clears()
    t.equal(await handled(romeo), 3)
    romeo.sends(`<a ${SM} h='1'/>`)
    await waits(w, 3)
    await w.restart({ kill: true })
    const again = await resumes(w, 'romeo', { id, h: 2 })
    await again.receives(`<resumed ${SM} h='3'/>`)
    const wait = "<error type='wait'><internal-server-error/></error>"
    await again.receives(`<iq type='error' id='open' from='${JULIET}/phone'>${wait}</iq>`)
    await again.receives(`<iq type='error' id='own' from='${ROMEO}'>${wait}</iq>`)
    t.notOk(again.inbox.some((element) => element.attrs.id === 'got'))
  })

  test(`a session that ended or waited too long is told its exact count (${name})`, async (t) => {
    const w = await friends(t, { database: await database() })
    const romeo = await present(w, 'romeo')
    const id = await enable(romeo, "resume='true' max='60'")
    romeo.sends(chat(JULIET, 'one') + chat(JULIET, 'two'))
    t.equal(await handled(romeo), 2)
    await w.restart({ kill: true })
    await waits(w, 61)
    const late = await resumes(w, 'romeo', { id, h: 0 })
    await late.receives(`<failed ${SM} h='2'>${NOT_FOUND}</failed>`)
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>phone</resource></bind>"
    t.equal((await late.asks('set', undefined, bind)).attrs.type, 'result')
    const next = await enable(late)
    late.sends(chat(JULIET, 'three'))
    await late.leaves()
    await w.restart({ kill: true })
    const again = await resumes(w, 'romeo', { id: next, h: 0 })
    await again.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
    w.clock.advance(8 * 24 * 3600_000)
    await w.settle()
    w.clock.advance(3600_000)
    await w.settle()
    const old = await resumes(w, 'romeo', { id: next, h: 0 })
    t.notOk('h' in (await old.receives(`<failed ${SM}/>`)).attrs, 'forgotten after a week')
  })
}

test('a session of somebody else or of a removed account is unknown (SEC-26, SEC-28)', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const juliet = await resumes(w, 'juliet', { id, h: 0 })
  t.notOk('h' in (await juliet.receives(`<failed ${SM}>${NOT_FOUND}</failed>`)).attrs)
  await w.server.run('capulet.example', 'user remove', { jids: [ROMEO] })
  await w.settle()
  const count = await w.server.database.reader('stream_counts').count({ n: '*' }).first()
  t.equal(count?.n, 0)
})

test('the present state stands in for what no log holds', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const juliet = await present(w, 'juliet')
  juliet.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await w.settle()
  await romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const phone = await present(w, 'juliet')
  const nurse = 'nurse@capulet.example'
  const tablet = await w.device('romeo', 'tablet')
  await tablet.asks(
    'set',
    undefined,
    `<query xmlns='jabber:iq:roster'><item jid='${nurse}'/></query>`,
  )
  await phone.clears()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  await again.finds(
    `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${nurse}'/></query></iq>`,
  )
  await again.finds(`<presence from='${JULIET}/phone'/>`)
  await phone.finds(`<presence from='${ROMEO}/phone'/>`)
})

test('who had not been available when the server died is sent what came once it is', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await w.device('romeo', 'phone')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const juliet = await present(w, 'juliet')
  const tablet = await present(w, 'romeo', 'tablet')
  juliet.sends(chat(ROMEO, 'to all'))
  await w.settle()
  t.same(bodies(tablet), ['to all'])
  const again = await resumes(w, 'romeo', { id, h: 0 })
  t.same(bodies(again), [])
  again.sends('<presence/>')
  await w.settle()
  t.same(bodies(again).filter(Boolean), ['to all'])
})

test('what it missed comes before what is live, and nothing of either twice (XEP-0198 §5)', async (t) => {
  const modules = ['stream-management', 'presence', 'archive', 'offline-messages']
  const w = await friends(t, { database: 'sqlite', modules })
  const romeo = await w.device('romeo', 'phone')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const juliet = await present(w, 'juliet')
  for (const body of ['1', '2', '3']) juliet.sends(chat(ROMEO, body))
  await w.settle()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  again.sends('<presence/>')
  juliet.sends(chat(ROMEO, '4'))
  await w.settle()
  juliet.sends(chat(ROMEO, '5'))
  await w.settle()
  await waits(w, 3)
  t.same(bodies(again).filter(Boolean), ['1', '2', '3', '4', '5'])
})

test('killed while a session is made again: nothing that was known of it is forgotten', async (t) => {
  const saved: unknown[] = []
  const first = defineModule({
    name: 'a-first',
    summary: 'Says at once that something has changed',
    setup: () => ({
      session: {
        save: (session) => ({ presence: session.presence !== undefined }),
        restore: async (session) => {
          session.changed()
          await new Promise((resolve) => setImmediate(resolve))
          await session.host.journal.idle()
          const rows = await session.host.database.reader('sm_sessions').select('state')
          saved.push(...rows.map(({ state }) => JSON.parse(state)['a-first']))
        },
      },
    }),
  })
  const modules = [first, 'stream-management', 'presence', 'archive']
  const w = await friends(t, { database: 'sqlite', modules })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  t.same(saved, [{ presence: true }])
})

test('who binds the address while a session is made again has it; nothing pretends to go on (F23)', async (t) => {
  let meanwhile = async (): Promise<void> => undefined
  const slow = defineModule({
    name: 'a-slow',
    summary: 'Takes its time',
    setup: () => ({
      session: { save: () => ({}), restore: () => meanwhile() },
    }),
  })
  const modules = [slow, 'stream-management', 'presence', 'archive']
  const w = await friends(t, { database: 'sqlite', modules })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  romeo.sends(chat(JULIET, 'one'))
  t.equal(await handled(romeo), 1)
  await w.restart({ kill: true })
  const again = await connects(w, 'romeo')
  const other = await connects(w, 'romeo')
  const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>phone</resource></bind>"
  meanwhile = async () => {
    meanwhile = async () => undefined
    other.sends(`<iq type='set' id='b'>${bind}</iq>`)
    await until(() => other.inbox.length > 0)
  }
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await again.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
  t.equal((await other.finds("<iq type='result' id='b'/>")).attrs.id, 'b')
  t.equal(sessionsOf(w, ROMEO).length, 1)
  t.notOk(other.closed)
  await other.leaves()
  const last = await resumes(w, 'romeo', { id, h: 0 })
  await last.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
  const [row] = await w.server.database.reader('sm_sessions').where({ id })
  t.ok(row.ended > 0, 'it is not written as if it lived')
})

test('what came while stream management was enabled does not come again', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const juliet = await present(w, 'juliet')
  const { messages } = w.server.hosts.get('capulet.example')!
  const { page } = messages
  messages.page = async (query) => {
    messages.page = page
    const found = await messages.page(query)
    juliet.sends(chat(ROMEO, 'meanwhile'))
    await until(() => romeo.inbox.length > 0)
    return found
  }
  const id = await enable(romeo)
  t.same(bodies(romeo), ['meanwhile'])
  await romeo.breaks()
  await w.restart({ kill: true })
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  t.same(bodies(again), [])
})

test('what comes after the clock stepped back is owed all the same', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const juliet = await present(w, 'juliet')
  juliet.sends(chat(ROMEO, 'before'))
  await romeo.clears()
  w.clock.advance(3600_000)
  const id = await enable(romeo)
  w.clock.advance(-1800_000)
  juliet.sends(chat(ROMEO, 'after'))
  await w.settle()
  await w.restart({ kill: true })
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  t.same(bodies(again), ['after'])
})

test('who has all the sessions that one may have gets no other one back (LIM-sessions-per-account)', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  for (let i = 0; i < 20; i++) await w.device('romeo', `d${i}`)
  const late = await resumes(w, 'romeo', { id, h: 0 })
  await late.receives(`<failed ${SM} h='0'>${NOT_FOUND}</failed>`)
  t.equal(sessionsOf(w, ROMEO).length, 20)
})

test('presence by name is remembered: who was told it hears its end (RFC 6121 §4.6.3)', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  romeo.sends(`<presence to='${JULIET}/phone'/>`)
  await w.settle()
  await w.restart({ kill: true })
  const juliet = await present(w, 'juliet')
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.leaves()
  await juliet.finds(`<presence type='unavailable' from='${ROMEO}/phone'/>`)
})

test('nobody hears that a session ended which will come back', async (t) => {
  const w = await friends(t, { database: 'sqlite', nodes: 2 })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  const tablet = await w.device('romeo', 'tablet', { node: 1 })
  await tablet.comesOnline()
  await tablet.clears()
  await w.restart()
  await tablet.receivesNothing()
  t.ok(romeo.streamError?.getChild('system-shutdown'))
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  const places = await w.server.directory.lookup(ROMEO)
  t.same(places.map(({ resource }) => resource).sort(), ['phone', 'tablet'])
})

test('the address was taken meanwhile: there is nothing to go on with', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  romeo.sends(chat(JULIET, 'one'))
  await w.settle()
  await w.restart({ kill: true })
  await w.device('romeo', 'phone')
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<failed ${SM} h='1'>${NOT_FOUND}</failed>`)
  t.equal(sessionsOf(w, ROMEO).length, 1)
})

test('resumed twice after a crash, at once: one owner is left (F23)', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  const romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const rivals = await Promise.all([1, 2, 3].map(() => connects(w, 'romeo')))
  for (const rival of rivals) rival.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await w.settle()
  t.equal(rivals.filter(({ closed }) => !closed).length, 1)
  t.equal(sessionsOf(w, ROMEO).length, 1)
})

test('the server is killed again and again, and nothing is missing', async (t) => {
  const w = await friends(t, { database: 'sqlite' })
  let romeo = await present(w, 'romeo')
  const id = await enable(romeo)
  const seen: string[] = []
  let h = 0
  for (let round = 0; round < 4; round++) {
    const juliet = await present(w, 'juliet')
    for (let i = 0; i < 5; i++) juliet.sends(chat(ROMEO, `${round}.${i}`))
    await w.settle()
    seen.push(...bodies(romeo))
    h += romeo.inbox.filter((element) => /^(message|presence|iq)$/.test(element.getName())).length
    romeo.inbox = []
    romeo.sends(`<a ${SM} h='${h}'/>`)
    await waits(w, 2)
    await w.restart({ kill: true })
    romeo = await resumes(w, 'romeo', { id, h })
    await romeo.receives(`<resumed ${SM}/>`)
  }
  t.same(
    seen,
    ['0', '1', '2', '3'].flatMap((round) => [0, 1, 2, 3, 4].map((i) => `${round}.${i}`)),
  )
})

test('presence and carbons that were lost with the process: nothing old is copied after what is newer (I7)', async (t) => {
  const modules = [
    'stream-management',
    'presence',
    'archive',
    'carbons',
    'offline-messages',
    'ping',
  ]
  const w = await friends(t, { database: 'sqlite', modules })
  const phone = await w.device('romeo', 'phone')
  const id = await enable(phone)
  await w.restart({ kill: true })
  await present(w, 'romeo', 'laptop')
  const juliet = await present(w, 'juliet')
  const texts = ['one', 'two', 'three', 'four']
  for (const [at, text] of texts.entries())
    juliet.sends(chat(at % 2 === 0 ? ROMEO : `${ROMEO}/laptop`, text))
  await w.settle()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM} h='0'/>`)
  again.sends("<presence/><iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
  await w.settle()
  t.same(bodies(again), ['one', 'three'])
  t.notOk(again.inbox.some((element) => element.getChild('received')))
  juliet.sends(chat(`${ROMEO}/laptop`, 'five'))
  await w.settle()
  t.equal(again.inbox.filter((element) => element.getChild('received')).length, 1)
})
