// The inbox of somebody whom many write to, and of clients that are slow or gone: XEP-0430, XEP-0198.

import { test } from 'tap'
import { INCOMING, KEPT, LoggedMessage, UNREAD } from '../../../lib/storage/logged-message.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, world, type World } from '../../world/world.js'
import { queryOf } from '../archive/archive-world.js'
import { connects, enable, SM } from '../stream-management/sm-world.js'

const NS = 'urn:xmpp:inbox:1'
const RSM = 'http://jabber.org/protocol/rsm'
const modules = ['inbox', 'presence', 'stream-management']

/** So many people have written to Juliet, each one message that she has not seen. */
async function filled(w: World, peers: number, length = 10, kin = 'peer'): Promise<void> {
  const { journal, hosts } = w.server
  const owner = await hosts.get(DOMAIN)!.numberOf(Jid.parse(w.juliet.account))
  const written = Array.from({ length: peers }, (_, at) => {
    const entry = journal.entry()
    const from = Jid.parse(`${kin}${at}@${DOMAIN}/phone`)
    const text = `<message type='chat'><body>${'x'.repeat(length)}</body></message>`
    const to = Jid.parse(w.juliet.account)
    entry.message = new LoggedMessage({ from, to, text, label: 0, key: '', author: 0 })
    entry.message.recipient = { owner, flags: KEPT | INCOMING | UNREAD }
    return journal.commit(entry)
  })
  await Promise.all(written)
}

function asking(id: string, attributes = '', set = ''): string {
  const rsm = set && `<set xmlns='${RSM}'>${set}</set>`
  return `<iq type='get' id='${id}'><inbox xmlns='${NS}'${attributes}>${rsm}</inbox></iq>`
}

/** A little time passes, and the client says what it has, until what is awaited is there. */
async function goesOn(w: World, client: Client, until: () => boolean): Promise<void> {
  for (const limit = Date.now() + 10_000; !until() && Date.now() < limit; ) {
    await new Promise((resolve) => setImmediate(resolve))
    w.clock.advance(50)
    const came = client.inbox.filter((one) => ['message', 'iq'].includes(one.getName()))
    if (client.inbox.some((one) => one.is('r'))) client.sends(`<a ${SM} h='${came.length}'/>`)
  }
  if (!until()) throw new Error('it does not come')
}

function has(client: Client, id: string): boolean {
  return client.inbox.some(({ attrs }) => attrs.id === id)
}

function entries(client: Client): string[] {
  return client.inbox.flatMap((one) => one.getChild('entry', NS)?.attrs.jid ?? [])
}

async function turns(until: () => boolean): Promise<void> {
  for (const limit = Date.now() + 10_000; !until() && Date.now() < limit; )
    await new Promise((resolve) => setImmediate(resolve))
  if (!until()) throw new Error('it does not come')
}

for (const backwards of [false, true]) {
  const way = backwards ? 'from its end' : 'from its beginning'
  test(`strangers who write much make no inbox unreadable: it comes in parts, ${way} (XEP-0059 §2.2)`, async (t) => {
    const w = await world(t, { modules })
    await filled(w, 24, 200_000)
    await enable(w.juliet)
    const found: string[] = []
    for (let page = 0, from = ''; found.length < 24; page++) {
      const place = backwards ? `<before>${from}</before>` : from && `<after>${from}</after>`
      const seen = entries(w.juliet).length
      w.juliet.sends(asking(`q${page}`, '', `<max>100</max>${place}`))
      await goesOn(w, w.juliet, () => has(w.juliet, `q${page}`))
      const part = entries(w.juliet).slice(seen)
      t.ok(part.length > 0 && part.length <= 3, `${part.length} at once`)
      if (backwards) found.unshift(...part)
      else found.push(...part)
      const fin = w.juliet.inbox.find(({ attrs }) => attrs.id === `q${page}`)!.getChild('fin')!
      t.equal(fin.attrs.total, '24')
      from = fin.getChild('set')!.getChildText(backwards ? 'first' : 'last')!
    }
    t.same(
      found,
      Array.from({ length: 24 }, (_, at) => `peer${23 - at}@${DOMAIN}`),
    )
    t.notOk(w.juliet.closed)
  })
}

test('entries alone are an answer, too: none is missing where the queue is full (XEP-0198 §4, XEP-0430 §4)', async (t) => {
  const w = await world(t, { modules, options: { 'stream-management': { queue: 20 } } })
  await filled(w, 40)
  const id = await enable(w.juliet)
  w.juliet.sends(asking('q', " messages='false'"))
  w.juliet.transport.cut(new Error('the connection broke'))
  await w.settle()
  const again = await connects(w, w.juliet.account)
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await goesOn(w, again, () => has(again, 'q'))
  t.equal(entries(again).length, 40)
})

test('an inbox costs the same number of questions however many are in it', async (t) => {
  const w = await world(t, { modules })
  const questions = async (): Promise<number> => {
    let count = 0
    const one = (): void => void count++
    w.server.database.reader.on('query', one)
    const answer = await w.juliet.asks(
      'get',
      undefined,
      `<inbox xmlns='${NS}'><set xmlns='${RSM}'><max>2</max></set></inbox>`,
    )
    w.server.database.reader.removeListener('query', one)
    t.equal(answer.getChild('fin')!.attrs['all-unread'], answer.getChild('fin')!.attrs.total)
    return count
  }
  await filled(w, 3)
  const few = await questions()
  t.ok(few > 0)
  await filled(w, 300, 10, 'cousin')
  t.equal(await questions(), few)
})

test('a large inbox counts for several queries (LIM-archive-queries)', async (t) => {
  const w = await world(t, { modules, limits: 'default' })
  await filled(w, 1000)
  const timers = w.clock.waiting
  let answered = -1
  do {
    answered++
    w.juliet.sends(asking(`q${answered}`, '', '<max>1</max>'))
    await turns(() => has(w.juliet, `q${answered}`) || w.clock.waiting > timers)
  } while (has(w.juliet, `q${answered}`))
  t.equal(answered, 4, 'five for each, of twenty')
  w.clock.advance(1000)
  await turns(() => has(w.juliet, 'q4'))
})

test('archive and inbox have one pace, and a client that is gone waits for none (XEP-0198 §5)', async (t) => {
  const w = await world(t, { modules, limits: 'default' })
  const id = await enable(w.juliet)
  const again = await connects(w, w.juliet.account)
  for (let at = 0; at < 20; at++) w.juliet.sends(`<iq type='set' id='a${at}'>${queryOf()}</iq>`)
  await turns(() => has(w.juliet, 'a19'))
  const timers = w.clock.waiting
  for (let at = 0; at < 5; at++) w.juliet.sends(asking(`i${at}`))
  await turns(() => w.clock.waiting >= timers + 5)
  t.notOk(has(w.juliet, 'i0'))
  again.sends(`<resume ${SM} previd='${id}' h='20'/>`)
  await turns(() => again.inbox.some((one) => one.is('resumed')) && has(again, 'i4'))
})
