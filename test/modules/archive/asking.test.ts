// Around the query: how often one may ask, fields of other modules, what a login is told, what is
// advertised.

import { test } from 'tap'
import { removeModule } from '../../../lib/core/loader.js'
import { defineModule } from '../../../lib/core/module.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import archive from '../../../modules/archive/archive.js'
import { QueryPace } from '../../../lib/core/query-pace.js'
import { ManualClock } from '../../world/clock.js'
import { DOMAIN, world } from '../../world/world.js'
import { LoginClient } from '../authentication/login-client.js'
import { authenticate } from '../authentication/sasl2-client.js'
import { asks, chat, JULIET, NS_ARCHIVE, queryOf, ROMEO, says, stores } from './archive-world.js'

test('who asks fast is answered later, in order, and nobody else waits (LIM-archive-queries)', async (t) => {
  const w = await world(t, { modules: ['archive'], limits: 'default' })
  await says(w.romeo, w.juliet.jid, 'one')
  await w.juliet.clears()
  const answered = () => w.juliet.inbox.filter((stanza) => stanza.is('iq')).length
  for (let i = 0; i < 25; i++) w.juliet.sends(`<iq type='set' id='q${i}'>${queryOf()}</iq>`)
  await turns(() => answered() === 20)
  t.equal(answered(), 20)
  w.romeo.sends(`<iq type='set' id='his'>${queryOf()}</iq>`)
  await turns(() => w.romeo.inbox.some(({ attrs }) => attrs.id === 'his'))
  for (let i = 1; i <= 5; i++) {
    w.clock.advance(200)
    await turns(() => answered() === 20 + i)
  }
  await w.settle()
  t.same(
    w.juliet.inbox.filter((stanza) => stanza.is('iq')).map(({ attrs }) => attrs.id),
    Array.from({ length: 25 }, (_, i) => `q${i}`),
  )
})

async function turns(until: () => boolean): Promise<void> {
  for (const limit = Date.now() + 10_000; !until() && Date.now() < limit; )
    await new Promise((resolve) => setImmediate(resolve))
  if (!until()) throw new Error('it does not come')
}

test('who asks much too fast is told so, and pays nothing for it', async (t) => {
  const clock = new ManualClock()
  const pace = new QueryPace(clock, 100)
  const outcome = (account: number): 'now' | 'later' | 'refused' => {
    try {
      return pace.turn(account) === undefined ? 'now' : 'later'
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      t.same([error.condition, error.type], ['resource-constraint', 'wait'])
      return 'refused'
    }
  }
  const outcomes = Array.from({ length: 90 }, () => outcome(1))
  t.same(
    ['now', 'later', 'refused'].map((one) => outcomes.filter((other) => other === one).length),
    [20, 50, 20],
  )
  t.equal(outcome(2), 'now')
  clock.advance(10_200)
  t.equal(outcome(1), 'now')
  for (let account = 0; account < 1000; account++) outcome(account)
  t.equal(pace.size, 100, 'accounts are remembered within bounds')
  const late = pace.turn(999) ?? Promise.resolve()
  for (let i = 0; i < 25; i++) void pace.turn(998)
  t.not(clock.waiting, 0)
  for (const account of [1, 998, 999]) pace.release(account)
  await late
  t.equal(clock.waiting, 0, 'who waits for a client that is gone goes on')
})

test('who waits for its turn does not hold up stopping', async (t) => {
  const w = await world(t, { modules: ['archive'], limits: 'default' })
  for (let i = 0; i < 25; i++) w.juliet.sends(`<iq type='set' id='q${i}'>${queryOf()}</iq>`)
  await turns(() => w.juliet.inbox.length === 20)
  t.not(w.clock.waiting, 0)
  await w.close()
})

test('nobody waits for an archive that is taken out', async (t) => {
  const w = await world(t, { modules: ['archive'], limits: 'default' })
  for (let i = 0; i < 25; i++) w.juliet.sends(`<iq type='set' id='q${i}'>${queryOf()}</iq>`)
  await turns(() => w.juliet.inbox.length === 20)
  await removeModule(w.server.hosts.get(DOMAIN)!, 'archive')
  await turns(() => w.juliet.inbox.length === 25)
})

test('a page ends where it grows too long, and the next goes on from there (LIM-archive-page)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  const long = 'x'.repeat(150_000)
  for (let i = 0; i < 9; i++)
    w.romeo.sends(chat(w.juliet.jid, `${i} ${long}`).replace(/id='[^']*'/, ''))
  w.romeo.sends(chat(w.juliet.jid, 'end'))
  await w.settle()
  for (const backwards of [false, true]) {
    const whole: string[] = []
    const sizes: number[] = []
    for (let from = '', complete = false; !complete; ) {
      const place = backwards ? `<before>${from}</before>` : from && `<after>${from}</after>`
      const page = await asks(w.juliet, { set: `<max>200</max>${place}` })
      const bodies = page.bodies.map((body) => body.split(' ')[0]!)
      if (backwards) whole.unshift(...bodies)
      else whole.push(...bodies)
      sizes.push(bodies.length)
      from = (backwards ? page.first : page.last)!
      complete = page.complete
    }
    t.same(whole, ['0', '1', '2', '3', '4', '5', '6', '7', '8', 'end'])
    t.ok(Math.max(...sizes) <= 4, sizes.join())
  }
})

test('a page waits until the client has taken the one before', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  await says(w.romeo, w.juliet.jid, 'one')
  await w.juliet.clears()
  let buffered = 300_000
  Object.defineProperty(w.juliet.transport, 'buffered', { get: () => buffered })
  w.juliet.sends(`<iq type='set' id='q'>${queryOf()}</iq>`)
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    w.clock.advance(50)
  }
  t.equal(w.juliet.inbox.length, 0)
  buffered = 1000
  w.clock.advance(50)
  await turns(() => w.juliet.inbox.length === 2)
})

test('another module adds a field that narrows the query (XEP-0313 §4.1.5)', async (t) => {
  const name = '{urn:example:vowels}starts-with'
  const vowels = defineModule({
    name: 'vowels',
    summary: 'A field for a test',
    requires: [archive],
    setup(host) {
      const withdraw = host.use(archive).field({
        name,
        type: 'text-single',
        async narrow(query, [start = '']) {
          const { messages } = await host.messages.page({ ...query, limit: 100 })
          const fitting = messages.filter(({ text }) => text.includes(`<body>${start}`))
          if (query.backwards) fitting.reverse()
          return { ...query, ids: fitting.slice(0, query.limit).map(({ id }) => id) }
        },
      })
      return { close: () => withdraw() }
    },
  })
  const { romeo, juliet } = await world(t, { modules: [vowels] })
  await says(romeo, juliet.jid, 'and', 'bee', 'asp', 'ant', 'cat', 'apple')
  const form = await juliet.asks('get', undefined, `<query xmlns='${NS_ARCHIVE}'/>`)
  t.ok(form.getChild('query')!.getChild('x')!.getChildByAttr('var', name))
  const fields = { [name]: 'a' }
  const first = await asks(juliet, { fields, set: '<max>2</max>' })
  t.same([first.bodies, first.complete], [['and', 'asp'], false])
  const rest = await asks(juliet, { fields, set: `<max>2</max><after>${first.last}</after>` })
  t.same([rest.bodies, rest.complete], [['ant', 'apple'], true])
  const back = await asks(juliet, { fields, set: '<max>3</max><before/>' })
  t.same([back.bodies, back.complete], [['asp', 'ant', 'apple'], false])
  t.same((await asks(juliet, { fields: { ...fields, with: JULIET } })).bodies, [])
  const ids = (await asks(juliet)).results.map(({ id }) => id).slice(0, 3)
  t.same((await asks(juliet, { fields: { ...fields, ids } })).bodies, ['and', 'asp'])
  t.same((await asks(juliet, { fields: { [name]: '' } })).bodies.length, 6, 'left empty')
})

test('one resource of a long conversation, page by page (XEP-0313 §4.1.1)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  const laptop = await w.device('romeo', 'laptop')
  for (let i = 0; i < 30; i++) (i % 3 === 0 ? laptop : w.romeo).sends(chat(w.juliet.jid, `${i}`))
  await w.settle()
  const expected = (await asks(w.juliet)).results
    .filter(({ message }) => message.attrs.from === laptop.jid)
    .map(({ body }) => body)
  t.equal(expected.length, 10)
  for (const backwards of [false, true]) {
    const whole: string[] = []
    for (let from = '', complete = false; !complete; ) {
      const set = backwards ? `<before>${from}</before>` : from && `<after>${from}</after>`
      const page = await asks(w.juliet, { fields: { with: laptop.jid }, set: `<max>3</max>${set}` })
      if (backwards) whole.unshift(...page.bodies)
      else whole.push(...page.bodies)
      from = (backwards ? page.first : page.last)!
      complete = page.complete
    }
    t.same(whole, expected)
  }
})

test('a login is told where the archive stands (XEP-0386 §3.2)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  await says(w.juliet, ROMEO, 'one', 'two')
  const { results } = await asks(w.romeo)
  const client = await LoginClient.connect(w)
  const initial = Buffer.from('\0romeo\0secret of romeo')
  const bind = "<bind xmlns='urn:xmpp:bind:0'/>"
  const answer = await client.says(authenticate('PLAIN', { initial, inside: bind }))
  const metadata = answer.getChild('bound')!.getChild('metadata', NS_ARCHIVE)!
  t.same(
    metadata.getChildElements().map(({ name, attrs }) => [name, attrs.id]),
    [
      ['start', results[0]!.id],
      ['end', results[1]!.id],
    ],
  )
})

test('what is advertised, and where (XEP-0313 §7, XEP-0359 §5, XEP-0424 §2, §4)', async (t) => {
  const { juliet } = await world(t, { modules: ['archive', 'disco'] })
  const features = async (to: string) => {
    const answer = await juliet.asks(
      'get',
      to,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    return answer
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
  }
  const account = await features(JULIET)
  for (const feature of [
    NS_ARCHIVE,
    `${NS_ARCHIVE}#extended`,
    `${NS_ARCHIVE}#groupchat-field`,
    'urn:xmpp:sid:0',
  ])
    t.ok(account.includes(feature), feature)
  t.ok(account.includes('urn:xmpp:message-retract:1#tombstone'))
  const host = await features(DOMAIN)
  t.ok(host.includes('urn:xmpp:message-retract:1'))
  t.notOk(host.includes(NS_ARCHIVE), 'the host has no archive')
  const pages = 'http://jabber.org/protocol/rsm'
  t.ok(account.includes(pages) && host.includes(pages), 'XEP-0059 §4')
})

test('what one node wrote another reads at once, and each device asks its own (XEP-0313 §4)', async (t) => {
  const w = await stores[1]!.world(t, { nodes: 2 })
  const laptop = await w.device('juliet', 'laptop', { node: 1 })
  for (let i = 0; i < 10; i++) {
    await says(i % 2 === 0 ? w.romeo : laptop, i % 2 === 0 ? JULIET : w.romeo.jid, `${i}`)
    for (const client of [w.romeo, w.juliet, laptop])
      t.equal((await asks(client, { set: '<max>1</max><before/>' })).bodies[0], `${i}`)
  }
  await w.juliet.clears()
  t.equal((await asks(laptop)).bodies.length, 10)
  t.equal(w.juliet.inbox.length, 0, 'results go to who asked')
})

test('an end that names no fraction means the whole second (XEP-0313 §4.1.2, XEP-0082 §3.2)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  for (const part of ['a', 'b', 'c']) {
    w.romeo.sends(chat(w.juliet.jid, part))
    await w.settle()
    w.clock.advance(400)
  }
  const bodies = async (end: string) => (await asks(w.juliet, { fields: { end } })).bodies
  t.same(await bodies('2026-01-01T00:00:00Z'), ['a', 'b', 'c'])
  t.same(await bodies('2026-01-01T00:00:00.400Z'), ['a', 'b'])
  t.same(await bodies('2026-01-01T00:00:00.0Z'), ['a'])
})
