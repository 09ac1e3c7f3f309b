// Offline messages: XEP-0160 and RFC 6121 §8.5.2.2.

import { type Test, test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { KEPT } from '../../../lib/storage/logged-message.js'
import { keptForGood } from '../../../lib/xmpp/message-traits.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const JULIET = `juliet@${DOMAIN}`

/** Keeps for good what may be kept for good, for whom it wants. */
const archive = defineModule({
  name: 'archive',
  summary: 'Keeps every message for good',
  setup: () => ({
    hooks: {
      'message:received': {
        record: ({ stanza }, passage) => {
          if (keptForGood(stanza)) passage.keep(KEPT)
        },
      },
    },
    iq: [{ set: 'query', xmlns: 'urn:xmpp:mam:2', to: 'account', allow: 'self', answer: () => {} }],
  }),
})

const ARCHIVES = [
  { name: 'without an archive', modules: ['offline-messages'] },
  { name: 'with an archive', modules: ['offline-messages', archive] },
] as const

interface Setting {
  modules: readonly (string | typeof archive)[]
  nodes?: 1 | 2
  options?: Record<string, Record<string, unknown>>
}

/** Romeo is there, Juliet is not. */
async function apart(t: Test, setting: Setting): Promise<World & { orchard: Client }> {
  // Nodes share a PostgreSQL.
  const database = setting.nodes === 2 ? await freshPostgres() : 'sqlite:memory'
  const w = await world(t, { ...setting, database, loggedIn: false })
  const orchard = await w.device('romeo', 'orchard')
  return Object.assign(w, { orchard })
}

function say(client: Client, words: string, { to = JULIET, type = 'chat', more = '' } = {}): void {
  client.sends(
    `<message to='${to}' type='${type}' id='${words}'><body>${words}</body>${more}</message>`,
  )
}

function heard(client: Client): string[] {
  return client.inbox.flatMap((element) =>
    element.is('message') ? (element.getChildText('body') ?? element.attrs.id ?? '?') : [],
  )
}

async function comes(
  w: World,
  { priority = 0, node = 0, resource = 'phone' } = {},
): Promise<Client> {
  const device = await w.device('juliet', resource, { node })
  await device.comesOnline(`<priority>${priority}</priority>`)
  return device
}

for (const { name, modules } of ARCHIVES) {
  for (const nodes of [1, 2] as const) {
    const where = `${name}, ${nodes === 1 ? 'one node' : 'two nodes'}`

    test(`who comes gets what waits, in order, with its time, and once (XEP-0160 §3; ${where})`, async (t) => {
      const w = await apart(t, { modules, nodes })
      const sent = new Date(w.clock.now()).toISOString()
      say(w.orchard, 'one')
      say(w.orchard, 'two', { type: 'normal' })
      await w.orchard.receivesNothing()
      w.clock.advance(60_000)
      const phone = await comes(w, { node: nodes - 1 })
      const message = await phone.finds(`<message id='one'><body>one</body></message>`)
      const delay = message.getChild('delay', 'urn:xmpp:delay')
      t.equal(delay?.attrs.from, DOMAIN, 'XEP-0203 §4')
      t.equal(delay?.attrs.stamp, sent)
      t.equal(message.attrs.from, w.orchard.jid)
      t.equal(message.attrs.to, JULIET)
      t.same(heard(phone), ['two'])
      await phone.clears()
      say(w.orchard, 'three')
      const live = await phone.receives(`<message id='three'><body>three</body></message>`)
      t.notOk(live.getChild('delay'))
      await phone.leaves()
      const again = await comes(w)
      t.same(heard(again), [], 'nothing comes twice')
    })
  }

  test(`a message that came live does not come again (${name})`, async (t) => {
    const w = await apart(t, { modules })
    const phone = await comes(w)
    say(w.orchard, 'live')
    await w.settle()
    t.same(heard(phone), ['live'])
    await phone.breaks()
    say(w.orchard, 'late')
    t.same(heard(await comes(w)), ['late'])
  })

  test(`a negative priority gets nothing that waits (RFC 6121 §8.5.2.2.1; ${name})`, async (t) => {
    const w = await apart(t, { modules })
    const phone = await comes(w, { priority: -1 })
    say(w.orchard, 'one')
    await w.settle()
    t.same(heard(phone), [])
    say(w.orchard, 'by name', { to: phone.jid })
    await w.settle()
    t.same(heard(phone), ['by name'], 'RFC 6121 §8.5.3.1')
    await phone.clears()
    await phone.comesOnline('<priority>1</priority>')
    t.same(heard(phone), ['one'], 'it is there now, and has the other one')
    await phone.clears()
    await phone.comesOnline('<priority>2</priority>')
    t.same(heard(phone), [])
  })

  test(`who goes and comes in one session misses nothing and gets nothing twice (RFC 6121 §4.5; ${name})`, async (t) => {
    const w = await apart(t, { modules })
    const phone = await comes(w)
    say(w.orchard, 'one')
    await w.settle()
    phone.sends("<presence type='unavailable'/>")
    await phone.settle()
    say(w.orchard, 'two')
    await w.settle()
    t.same(heard(phone), ['one'])
    await phone.comesOnline()
    t.same(heard(phone), ['one', 'two'])
  })

  test(`what a message for one resource takes with it is not the cursor (RFC 6121 §8.5.3.1; ${name})`, async (t) => {
    const w = await apart(t, { modules })
    say(w.orchard, 'one')
    const bound = await w.device('juliet', 'bound')
    say(w.orchard, 'by name', { to: bound.jid })
    await w.settle()
    t.same(heard(bound), ['by name'])
    await bound.leaves()
    const phone = await comes(w)
    t.ok(heard(phone).includes('one'))
  })

  test(`what is for nobody later is not kept (XEP-0160 §3, XEP-0334 §4.2; ${name})`, async (t) => {
    const w = await apart(t, { modules })
    say(w.orchard, 'news', { type: 'headline' })
    say(w.orchard, 'trouble', {
      type: 'error',
      more: "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    })
    await w.orchard.receivesNothing()
    say(w.orchard, 'room', { type: 'groupchat' })
    await w.orchard.receives(
      "<message type='error'><error><service-unavailable/></error></message>",
    )
    say(w.orchard, 'secret', { more: "<no-store xmlns='urn:xmpp:hints'/>" })
    await w.orchard.receives(
      "<message type='error'><error><service-unavailable/></error></message>",
    )
    w.orchard.sends(
      `<message to='${JULIET}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    )
    await w.settle()
    t.same(heard(await comes(w)), [])
  })
}

test('to a resource that is gone chat waits, the rest is refused (RFC 6121 §8.5.3.2.1)', async (t) => {
  const w = await apart(t, { modules: ['offline-messages'] })
  say(w.orchard, 'chat', { to: `${JULIET}/gone` })
  await w.orchard.receivesNothing()
  say(w.orchard, 'normal', { to: `${JULIET}/gone`, type: 'normal' })
  await w.orchard.receives("<message type='error'><error><service-unavailable/></error></message>")
  t.same(heard(await comes(w)), ['chat'])
})

test('without the module nothing waits (RFC 6121 §8.5.2.2.1)', async (t) => {
  const w = await apart(t, { modules: ['presence'] })
  say(w.orchard, 'one')
  await w.orchard.receives("<message type='error'><error><service-unavailable/></error></message>")
})

test('the feature is told (XEP-0160 §4)', async (t) => {
  const w = await apart(t, { modules: ['offline-messages', 'disco'] })
  const answer = await w.orchard.asks(
    'get',
    DOMAIN,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  t.match(answer.toString(), /var="msgoffline"/)
})

test('messages that come while a client is given what waits follow it, once each', async (t) => {
  const w = await apart(t, { modules: ['offline-messages'] })
  const words = Array.from({ length: 120 }, (_, i) => `old ${i}`)
  for (const word of words) say(w.orchard, word)
  await w.settle()
  const phone = await w.device('juliet', 'phone')
  phone.sends('<presence/>')
  const fresh = Array.from({ length: 30 }, (_, i) => `new ${i}`)
  for (const word of fresh) {
    say(w.orchard, word)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await w.settle()
  t.same(heard(phone), [...words, ...fresh])
})

test('what is not in the log does not overtake what is', async (t) => {
  const w = await apart(t, { modules: ['offline-messages'] })
  const words = Array.from({ length: 60 }, (_, i) => `old ${i}`)
  for (const word of words) say(w.orchard, word)
  await w.settle()
  const phone = await w.device('juliet', 'phone')
  phone.sends('<presence/>')
  say(w.orchard, 'news', { type: 'headline' })
  say(w.orchard, 'live')
  await w.settle()
  t.same(heard(phone), [...words, 'news', 'live'])
})

test('a message for a session elsewhere is on disk before it goes there, without an archive too', async (t) => {
  const rows = async (nodes: 1 | 2): Promise<number> => {
    const w = await apart(t, { modules: ['offline-messages'], nodes })
    const phone = await comes(w, { node: nodes - 1 })
    say(w.orchard, 'live')
    await w.settle()
    t.same(heard(phone), ['live'])
    return (await w.server.database.reader('messages').pluck('id')).length
  }
  t.equal(await rows(1), 0, 'here nothing is promised, and nothing can be in between')
  t.equal(await rows(2), 1)
})

test('two clients that come together: neither gets a message twice', async (t) => {
  const w = await apart(t, { modules: ['offline-messages'] })
  const words = Array.from({ length: 60 }, (_, i) => `old ${i}`)
  for (const word of words) say(w.orchard, word)
  await w.settle()
  const phone = await w.device('juliet', 'phone')
  const laptop = await w.device('juliet', 'laptop')
  phone.sends('<presence/>')
  laptop.sends('<presence/>')
  await w.settle()
  say(w.orchard, 'live')
  await w.settle()
  for (const device of [phone, laptop]) {
    const got = heard(device)
    t.equal(new Set(got).size, got.length)
    t.equal(got.at(-1), 'live')
  }
  t.same(new Set([...heard(phone), ...heard(laptop)]).size, words.length + 1)
})

test('a full account refuses what no archive keeps, until somebody comes (XEP-0160 §3, LIM-offline)', async (t) => {
  const w = await apart(t, {
    modules: ['offline-messages'],
    options: { 'offline-messages': { most: 10 } },
  })
  for (let i = 0; i < 10; i++) say(w.orchard, `${i}`)
  await w.orchard.receivesNothing()
  say(w.orchard, 'too much')
  await w.orchard.receives(
    "<message id='too much' type='error'><error type='cancel'><service-unavailable/></error></message>",
  )
  w.clock.advance(5000)
  say(w.orchard, 'still too much')
  await w.orchard.receives("<message type='error'><error><service-unavailable/></error></message>")
  const phone = await comes(w)
  t.equal(heard(phone).length, 10)
  await phone.leaves()
  say(w.orchard, 'again')
  await w.orchard.receivesNothing()
  t.same(heard(await comes(w)), ['again'])
})

test('what an archive keeps is not bounded here', async (t) => {
  const w = await apart(t, {
    modules: ['offline-messages', archive],
    options: { 'offline-messages': { most: 5 } },
  })
  const fleeting = { more: "<no-permanent-store xmlns='urn:xmpp:hints'/>" }
  for (let i = 0; i < 20; i++) say(w.orchard, `${i}`)
  for (let i = 0; i < 5; i++) say(w.orchard, `fleeting ${i}`, fleeting)
  await w.orchard.receivesNothing()
  say(w.orchard, 'too much', fleeting)
  await w.orchard.receives(
    "<message id='too much' type='error'><error><service-unavailable/></error></message>",
  )
  say(w.orchard, 'kept')
  await w.orchard.receivesNothing()
  t.equal(heard(await comes(w)).length, 26)
})

test('a full account whose archive keeps nothing refuses with the commit, and nobody else is harmed', async (t) => {
  const forgetful = { ...archive, setup: () => ({}) } as typeof archive
  const w = await apart(t, {
    modules: ['offline-messages', forgetful],
    options: { 'offline-messages': { most: 3 } },
  })
  for (let i = 0; i < 3; i++) say(w.orchard, `${i}`)
  await w.orchard.receivesNothing()
  say(w.orchard, 'too much')
  say(w.orchard, 'for somebody else', { to: `romeo@${DOMAIN}` })
  await w.orchard.receives(
    "<message id='too much' type='error'><error><service-unavailable/></error></message>",
  )
  await w.orchard.receivesNothing()
})

const QUERY = "<query xmlns='urn:xmpp:mam:2'/>"

test('who reads the archive is not given what is there, but what is not (XEP-0313 §1)', async (t) => {
  const w = await apart(t, { modules: ['offline-messages', archive] })
  say(w.orchard, 'kept')
  say(w.orchard, 'fleeting', { more: "<no-permanent-store xmlns='urn:xmpp:hints'/>" })
  say(w.orchard, 'kept too')
  const phone = await w.device('juliet', 'phone')
  await phone.asks('set', undefined, QUERY)
  await phone.comesOnline()
  t.same(heard(phone), ['fleeting'])
  await phone.clears()
  say(w.orchard, 'live')
  await w.settle()
  t.same(heard(phone), ['live'])
  await phone.leaves()
  t.same(heard(await comes(w, { resource: 'plain' })), [], 'the cursor went along with it')
})

test('a resource that has read the archive is known the next time, another one is not', async (t) => {
  const w = await apart(t, { modules: ['offline-messages', archive] })
  const phone = await comes(w)
  await phone.asks('set', undefined, QUERY)
  await phone.leaves()
  say(w.orchard, 'kept')
  const again = await comes(w)
  t.same(heard(again), [])
  await again.leaves()
  t.same(heard(await comes(w, { resource: 'plain' })), ['kept'])
})

test('at most 20 resources of an account are remembered, the latest (LIM-archive-readers)', async (t) => {
  const w = await apart(t, { modules: ['offline-messages', archive] })
  for (let i = 0; i < 25; i++) {
    w.clock.advance(1000)
    const device = await w.device('juliet', `r${i}`)
    await device.asks('set', undefined, QUERY)
    await device.leaves()
  }
  const rows = await w.server.database.reader('archive_readers').orderBy('used').pluck('resource')
  t.same(
    rows,
    Array.from({ length: 20 }, (_, i) => `r${i + 5}`),
  )
})

test('what no archive keeps ends when it is delivered', async (t) => {
  const w = await apart(t, { modules: ['offline-messages', archive] })
  say(w.orchard, 'kept')
  say(w.orchard, 'fleeting', { more: "<no-permanent-store xmlns='urn:xmpp:hints'/>" })
  await w.settle()
  const texts = async () =>
    (await w.server.database.reader('messages').orderBy('id').pluck('text')).length
  w.clock.advance(11 * 60_000)
  await w.settle()
  t.equal(await texts(), 2, 'nobody has taken it')
  await comes(w)
  w.clock.advance(2000)
  await w.settle()
  w.clock.advance(11 * 60_000)
  await w.settle()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(await texts(), 1)
})

test('who comes while the database is away gets what waits when it is back (XEP-0160 §3)', async (t) => {
  const w = await world(t, { modules: ['offline-messages'], loggedIn: false, mayFail: true })
  const orchard = await w.device('romeo', 'orchard')
  say(orchard, 'one')
  await w.settle()
  const { taken } = w.server
  const { of } = taken
  taken.of = () => Promise.reject(new Error('the database is away'))
  const phone = await comes(w)
  say(orchard, 'two')
  await w.settle()
  t.same(heard(phone), [])
  taken.of = of
  w.clock.advance(1000)
  await w.settle()
  say(orchard, 'three')
  await w.settle()
  t.same(heard(phone), ['one', 'two', 'three'])
})
