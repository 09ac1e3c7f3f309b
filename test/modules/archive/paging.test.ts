// Pages of an archive: whatever their size, direction and filters, put together they are the whole, in
// order, nothing twice; also while the index on disk is behind.

import { test, type Test } from 'tap'
import { hash53 } from '../../../lib/xmpp/hash53.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { type Answer, asks, chat, JULIET, NS_ARCHIVE, ROMEO, stores } from './archive-world.js'

const CONTACTS = ['juliet', 'nurse', 'tybalt']

/** The same numbers in every run of this seed. */
function draws(seed: string): (below: number) => number {
  let count = 0
  return (below) => hash53(`${seed} ${count++}`) % below
}

/** Talks with three people; bodies say who and which. */
async function talks(w: World, count: number, draw: (below: number) => number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const contact = CONTACTS[draw(CONTACTS.length)]!
    const other = w.person(contact)
    if (draw(2) === 0) w.romeo.sends(chat(other.jid, `${contact} ${i}`))
    else other.sends(chat(w.romeo.jid, `${contact} ${i}`))
    await w.settle()
    if (draw(4) === 0) w.clock.advance(draw(3) * 500)
  }
}

type Direction = 'forwards' | 'backwards'

interface Reading {
  direction: Direction
  max: number
  flip: boolean
  fields: Record<string, string>
}

/** Reads to the end as a client does: by the last id of each page, or the first. */
async function readsAll(t: Test, client: Client, reading: Reading): Promise<string[]> {
  const whole: string[] = []
  const { direction, max, flip, fields } = reading
  let from: string | undefined
  for (let pages = 0; pages < 200; pages++) {
    const place =
      direction === 'forwards'
        ? from === undefined
          ? ''
          : `<after>${from}</after>`
        : `<before>${from ?? ''}</before>`
    const answer = await asks(client, { fields, flip, set: `<max>${max}</max>${place}` })
    const page = checked(t, answer, reading)
    if (direction === 'forwards') whole.push(...page)
    else whole.unshift(...page)
    if (answer.complete) return whole
    from = direction === 'forwards' ? answer.last : answer.first
  }
  throw new Error('it never ends')
}

/** The bodies of a page, oldest first. */
function checked(
  t: Test,
  { results, first, last, error }: Answer,
  { max, flip }: Reading,
): string[] {
  if (error) throw new Error(error)
  const ordered = flip ? [...results].reverse() : results
  if (ordered.length > max) t.fail(`${ordered.length} on a page of ${max}`)
  // XEP-0313 §4.3.4: flipping changes the order of sending and nothing else.
  if (first !== ordered[0]?.id || last !== ordered.at(-1)?.id) t.fail('the ends of a page')
  return ordered.map(({ body }) => body)
}

for (const store of stores) {
  test(`${store.name}: pages put together are the whole (XEP-0313 §4.3, XEP-0059 §2.3, §2.5)`, async (t) => {
    const w = await store.world(t, { people: ['romeo', ...CONTACTS] })
    const seed = process.env.TERCET_SEED ?? String(Math.random())
    t.comment(`seed ${seed}`)
    const draw = draws(seed)
    await talks(w, 40, draw)
    const all = (await asks(w.romeo, { set: '<max>250</max>' })).results
    t.equal(all.length, 40)
    for (let round = 0; round < 30; round++) {
      // The index is written to disk somewhere in between.
      if (round === 10) void w.server.messages.indexed()
      if (round === 20) await talks(w, 1, draw)
      const whole = (await asks(w.romeo, { set: '<max>250</max>' })).results
      const contact = draw(2) === 0 ? CONTACTS[draw(3)] : undefined
      const start = draw(3) === 0 ? whole[draw(20)]!.stamp : undefined
      const afterId = draw(4) === 0 ? draw(30) : undefined
      const beforeId = draw(4) === 0 ? draw(40) : undefined
      const fields = {
        ...(contact ? { with: `${contact}@${DOMAIN}` } : {}),
        ...(start ? { start } : {}),
        ...(afterId !== undefined ? { 'after-id': whole[afterId]!.id } : {}),
        ...(beforeId !== undefined ? { 'before-id': whole[beforeId]!.id } : {}),
      }
      const expected = whole
        .filter(({ body }, at) => {
          if (contact && !body.startsWith(contact)) return false
          return (
            (afterId === undefined || at > afterId) && (beforeId === undefined || at < beforeId)
          )
        })
        .filter(({ stamp }) => start === undefined || inMillis(stamp) >= inMillis(start))
        .map(({ body }) => body)
      const direction: Direction = draw(2) === 0 ? 'forwards' : 'backwards'
      const reading = { direction, max: 1 + draw(12), flip: draw(2) === 0, fields }
      t.same(await readsAll(t, w.romeo, reading), expected, JSON.stringify(reading))
    }
  })

  test(`${store.name}: while the index waits, moves and is there, the archive is the same`, async (t) => {
    const w = await store.world(t)
    const reading = { direction: 'forwards', max: 3, flip: false, fields: {} } as const
    const said: string[] = []
    for (let i = 0; i < 12; i++) {
      w.romeo.sends(chat(w.juliet.jid, `${i}`))
      said.push(`${i}`)
      await w.settle()
      const moving = i % 3 === 1 ? w.server.messages.indexed() : undefined
      t.same(await readsAll(t, w.juliet, reading), said)
      await moving
      t.same(await readsAll(t, w.juliet, { ...reading, direction: 'backwards' }), said)
    }
  })

  test(`${store.name}: sizes of pages (XEP-0313 §4.3.1, XEP-0059 §2.7)`, async (t) => {
    const options = { archive: { page: 3, longest_page: 5 } }
    const w = await store.world(t, { options })
    for (let i = 0; i < 8; i++) w.romeo.sends(chat(w.juliet.jid, `${i}`))
    await w.settle()
    const size = async (set?: string) =>
      (await asks(w.juliet, set === undefined ? {} : { set })).results.length
    t.equal(await size(), 3)
    t.equal(await size(''), 3)
    t.equal(await size('<max>4</max>'), 4)
    t.equal(await size('<max>6</max>'), 5)
    t.equal(await size('<max>2000000000</max>'), 5)
    const none = await asks(w.juliet, { set: '<max>0</max>' })
    t.same([none.results.length, none.first, none.complete], [0, undefined, false])
    const empty = await asks(w.juliet, { fields: { with: `nurse@${DOMAIN}` }, set: '<max>0</max>' })
    t.ok(empty.complete)
    const last = await asks(w.juliet, { set: '<max>2</max><before/>' })
    t.same(last.bodies, ['6', '7'], 'the last page, oldest first (XEP-0313 §4.3.3)')
    t.notOk(last.complete)
    const exact = await asks(w.juliet, { set: `<max>2</max><after>${(await sixth(w)).id}</after>` })
    t.same(exact.bodies, ['6', '7'])
    t.ok(exact.complete, 'a page that is just full and the last')
  })

  test(`${store.name}: SEC-63: pages as nobody should ask for them (XEP-0059 §8)`, async (t) => {
    const w = await store.world(t)
    w.romeo.sends(chat(w.juliet.jid, 'one'))
    await w.settle()
    const [one] = (await asks(w.juliet)).results
    const evil = [
      "' or 1=1 --",
      '1) union select * from accounts --',
      '%27%00',
      '-1',
      '0',
      '18446744073709551616',
      '9007199254740993',
      'NaN',
      '1e9',
      '٣',
      'A'.repeat(1023),
      `${one!.id}\u0300`,
      one!.id.toUpperCase(),
      ` ${one!.id}x`,
      'x'.repeat(100_000),
    ].map((text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))
    for (const text of evil) {
      for (const name of ['after', 'before', 'max', 'index']) {
        const { error, results } = await asks(w.juliet, { set: `<${name}>${text}</${name}>` })
        if (name === 'max' && text === '0') continue
        const refused = ['item-not-found', 'bad-request', 'feature-not-implemented']
        t.ok(refused.includes(error ?? ''), `${name} ${text.slice(0, 40)}: ${error}`)
        t.equal(results.length, 0)
      }
      for (const name of ['after-id', 'before-id', 'ids'])
        t.equal((await asks(w.juliet, { fields: { [name]: text } })).error, 'item-not-found')
      for (const name of ['start', 'end'])
        t.equal((await asks(w.juliet, { fields: { [name]: text } })).error, 'bad-request')
    }
    const many = Array.from({ length: 251 }, () => one!.id)
    t.equal((await asks(w.juliet, { fields: { ids: many } })).error, 'resource-constraint')
    const twice = `<after>${one!.id}</after><after>${one!.id}</after>`
    t.equal((await asks(w.juliet, { set: twice })).error, 'bad-request')
    t.equal((await asks(w.juliet, { queryId: 'q'.repeat(1024) })).error, 'bad-request')
    t.same((await asks(w.juliet)).bodies, ['one'], 'nothing is harmed')
  })
}

async function sixth(w: World) {
  return (await asks(w.juliet, { set: '<max>4</max><before/>' })).results[1]!
}

test('what a form may hold, and what not (XEP-0313 §4.1.5, XEP-0068)', async (t) => {
  const { romeo, juliet } = await stores[0]!.world(t)
  romeo.sends(chat(juliet.jid, 'one'))
  await romeo.settle()
  const answer = await juliet.asks('get', undefined, `<query xmlns='${NS_ARCHIVE}'/>`)
  const x = answer.getChild('query', NS_ARCHIVE)!.getChild('x', 'jabber:x:data')!
  t.equal(x.attrs.type, 'form')
  t.same(
    x.getChildren('field').map(({ attrs }) => [attrs.var, attrs.type]),
    [
      ['FORM_TYPE', 'hidden'],
      ['with', 'jid-single'],
      ['start', 'text-single'],
      ['end', 'text-single'],
      ['before-id', 'text-single'],
      ['after-id', 'text-single'],
      ['ids', 'list-multi'],
      ['include-groupchat', 'boolean'],
    ],
  )
  const validate = x
    .getChildByAttr('var', 'ids')!
    .getChild('validate', 'http://jabber.org/protocol/xdata-validate')!
  t.equal(validate.attrs.datatype, 'xs:string')
  t.ok(validate.getChild('open'))
  const refusal = async (fields: Record<string, string>) => (await asks(juliet, { fields })).error
  t.equal(await refusal({ '{urn:x}y': '1' }), 'feature-not-implemented')
  t.equal(await refusal({ FORM_TYPE: 'urn:xmpp:mam:1' }), 'bad-request')
  t.equal(await refusal({ 'include-groupchat': 'perhaps' }), 'bad-request')
  for (const groupchat of ['true', 'false', '0', '1', ''])
    t.equal(await refusal({ 'include-groupchat': groupchat }), undefined)
  t.equal(await refusal({ with: 'a@b@c' }), 'jid-malformed')
  t.equal(await refusal({ start: 'yesterday' }), 'bad-request')
  const node = await juliet.asks('set', undefined, `<query xmlns='${NS_ARCHIVE}' node='n'/>`)
  t.ok(node.getChild('error')!.getChild('feature-not-implemented'))
  t.same((await asks(juliet, { more: "<any xmlns='urn:x'/>" })).bodies, ['one'])
})

test('messages that come while a page is read change nothing on it', async (t) => {
  const { romeo, juliet } = await stores[0]!.world(t)
  for (let i = 0; i < 5; i++) romeo.sends(chat(juliet.jid, `${i}`))
  await romeo.settle()
  const { last } = await asks(juliet, { set: '<max>5</max>' })
  const id = 'together'
  juliet.sends(
    `<message to='${ROMEO}' type='chat'><body>mine</body></message>` +
      `<iq type='set' id='${id}'><query xmlns='${NS_ARCHIVE}'><set xmlns='http://jabber.org/protocol/rsm'><after>${last}</after></set></query></iq>`,
  )
  await juliet.settle()
  const bodies = juliet.inbox
    .filter((stanza) => stanza.getChild('result', NS_ARCHIVE))
    .map((stanza) => stanza.getChild('result')!.getChild('forwarded')!.getChild('message')!)
    .map((message) => message.getChildText('body'))
  t.same(bodies, ['mine'], `what the same stream said before the query is there (${JULIET})`)
})

/** What a query's moment is read to */
function inMillis(stamp: string): string {
  return stamp.slice(0, '2026-01-01T00:00:00.000'.length)
}
