// The inbox: XEP-0430.

import { type Test, test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const NS = 'urn:xmpp:inbox:1'
const JULIET = `juliet@${DOMAIN}`

async function scene(t: Test, nodes: 1 | 2 = 1): Promise<World> {
  const database = nodes === 2 ? await freshPostgres() : 'sqlite:memory'
  const modules = ['presence', 'disco', 'inbox']
  return world(t, { modules, nodes, database, people: ['romeo', 'juliet', 'nurse'] })
}

let ids = 0

async function says(w: World, from: Client, words: string, to = JULIET): Promise<void> {
  from.sends(`<message to='${to}' type='chat' id='m${++ids}'><body>${words}</body></message>`)
  await w.settle()
}

interface Inbox {
  entries: { jid: string; unread: string; id: string; body: string | undefined }[]
  fin: Record<string, string>
  set: Element
}

async function inbox(client: Client, attributes = '', set = ''): Promise<Inbox> {
  await client.clears()
  const answer = await client.asks(
    'get',
    undefined,
    `<inbox xmlns='${NS}'${attributes}>${set}</inbox>`,
  )
  const fin = answer.getChild('fin', NS)
  if (!fin) throw new Error(answer.toString())
  const entries = client.inbox.splice(0).map((message) => {
    const { jid, unread, id } = message.getChild('entry', NS)!.attrs
    const result = message.getChild('result', 'urn:xmpp:mam:2')
    if (result && result.attrs.queryid !== answer.attrs.id) throw new Error('another query')
    const inner = result?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message')
    return { jid: jid!, unread: unread!, id: id!, body: inner?.getChildText('body') ?? undefined }
  })
  return {
    entries,
    fin: fin.attrs as Record<string, string>,
    set: fin.getChild('set', 'http://jabber.org/protocol/rsm')!,
  }
}

const rsm = (content: string): string =>
  `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`

for (const nodes of [1, 2] as const) {
  test(`conversations by last activity, with what is unread (XEP-0430 §4, ${nodes} nodes)`, async (t) => {
    const w = await scene(t, nodes)
    await says(w, w.romeo, 'one')
    await says(w, w.romeo, 'two')
    await says(w, w.nurse, 'madam!')
    const { entries, fin } = await inbox(await w.device('juliet', 'other', { node: nodes - 1 }))
    t.same(
      entries.map(({ jid, unread, body }) => [jid, unread, body]),
      [
        [`nurse@${DOMAIN}`, '1', 'madam!'],
        [`romeo@${DOMAIN}`, '2', 'two'],
      ],
    )
    t.match(fin, { total: '2', unread: '2', 'all-unread': '3' })
  })
}

test('a marker makes it and all before it read (XEP-0430 §5)', async (t) => {
  const w = await scene(t)
  await says(w, w.romeo, 'one')
  await says(w, w.romeo, 'two')
  w.juliet.sends(
    `<message to='romeo@${DOMAIN}'><displayed xmlns='urn:xmpp:chat-markers:0' id='m${ids}'/></message>`,
  )
  await w.settle()
  await says(w, w.romeo, 'three')
  const { entries, fin } = await inbox(w.juliet)
  t.same(
    entries.map(({ unread, body }) => [unread, body]),
    [['1', 'three']],
  )
  t.match(fin, { total: '1', unread: '1', 'all-unread': '1' })
  t.match((await inbox(w.romeo)).fin, { 'all-unread': '0' }, 'what one sent oneself is not unread')
})

test('receipts and markers are not unread (XEP-0430 §5)', async (t) => {
  const w = await scene(t)
  await says(w, w.juliet, 'one', `romeo@${DOMAIN}`)
  w.romeo.sends(
    `<message to='${JULIET}'><received xmlns='urn:xmpp:receipts' id='m${ids}'/></message>`,
  )
  w.romeo.sends(
    `<message to='${JULIET}'><displayed xmlns='urn:xmpp:chat-markers:0' id='m${ids}'/></message>`,
  )
  await w.settle()
  const { entries, fin } = await inbox(w.juliet)
  t.match(fin, { total: '1', unread: '0', 'all-unread': '0' })
  t.equal(entries[0]?.body, 'one', 'the latest instant message is shown (§4)')
})

test('only those with something unread, and without messages, where asked (XEP-0430 §4)', async (t) => {
  const w = await scene(t)
  await says(w, w.romeo, 'one')
  await says(w, w.nurse, 'two')
  w.juliet.sends(
    `<message to='nurse@${DOMAIN}'><displayed xmlns='urn:xmpp:chat-markers:0' id='m${ids}'/></message>`,
  )
  await w.settle()
  const { entries, fin } = await inbox(w.juliet, " unread-only='true' messages='false'")
  t.same(
    entries.map(({ jid, body }) => [jid, body]),
    [[`romeo@${DOMAIN}`, undefined]],
  )
  t.match(fin, { total: '2', unread: '1', 'all-unread': '1' })
  const refused = await w.juliet.asks('get', undefined, `<inbox xmlns='${NS}' messages='maybe'/>`)
  t.ok(refused.getChild('error')?.getChild('bad-request'))
})

test('page by page, both ways, with counts (XEP-0059 §2.2, §2.5)', async (t) => {
  const w = await scene(t)
  const peers = Array.from({ length: 7 }, (_, i) => `peer${i}@${DOMAIN}`)
  for (const peer of peers) {
    await w.server.run(DOMAIN, 'user add', { jid: peer, password: 'a long enough secret' })
    await says(w, await w.device(peer, 'x'), 'hello')
  }
  const newestFirst = [...peers].reverse()
  const names = ({ entries }: Inbox): string[] => entries.map(({ jid }) => jid)
  const first = await inbox(w.juliet, '', rsm('<max>3</max>'))
  t.same(names(first), newestFirst.slice(0, 3))
  t.equal(first.set.getChildText('count'), '7')
  const last = first.set.getChildText('last')
  const second = await inbox(w.juliet, '', rsm(`<max>3</max><after>${last}</after>`))
  t.same(names(second), newestFirst.slice(3, 6))
  const back = second.set.getChildText('first')
  t.same(
    names(await inbox(w.juliet, '', rsm(`<max>2</max><before>${back}</before>`))),
    newestFirst.slice(1, 3),
  )
  t.same(names(await inbox(w.juliet, '', rsm('<max>2</max><before/>'))), newestFirst.slice(5))
  const counted = await inbox(w.juliet, '', rsm('<max>0</max>'))
  t.same(names(counted), [])
  t.equal(counted.set.getChildText('count'), '7')
  const unknown = await w.juliet.asks(
    'get',
    undefined,
    `<inbox xmlns='${NS}'>${rsm('<after>nonsense</after>')}</inbox>`,
  )
  t.ok(unknown.getChild('error')?.getChild('item-not-found'))
})

test('a page has a bound, whatever is asked for (LIM-inbox)', async (t) => {
  const w = await world(t, {
    modules: ['inbox', 'presence'],
    options: { inbox: { page: 2, longest_page: 3 } },
    people: ['romeo', 'juliet'],
  })
  for (let i = 0; i < 5; i++) {
    const peer = `peer${i}@${DOMAIN}`
    await w.server.run(DOMAIN, 'user add', { jid: peer, password: 'a long enough secret' })
    await says(w, await w.device(peer, 'x'), 'hello')
  }
  t.equal((await inbox(w.juliet)).entries.length, 2)
  t.equal((await inbox(w.juliet, '', rsm('<max>100</max>'))).entries.length, 3)
})

test("the inbox is its owner's (XEP-0430 §4, SEC-22) and it is told that there is one (§3)", async (t) => {
  const w = await scene(t)
  const answer = await w.romeo.asks('get', JULIET, `<inbox xmlns='${NS}'/>`)
  t.equal(answer.attrs.type, 'error')
  const info = await w.juliet.asks(
    'get',
    JULIET,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  t.match(info.toString(), /urn:xmpp:inbox:1/)
})
