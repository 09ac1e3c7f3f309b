// The archive of a room (XEP-0313 §6.1.2): what everybody got, in that order, for who may read it.

import { test } from 'tap'
import { asks, NS_ARCHIVE } from '../archive/archive-world.js'
import { configures, item, NS_USER, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const NS_INFO = 'http://jabber.org/protocol/disco#info'

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`a room shows what was said, from the room, as its occupants said it (XEP-0313 §6.1.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    for (const body of ['one', 'two', 'three']) {
      says(romeo, body, { id: `id of ${body}` })
      await w.settle()
    }
    const live = juliet.inbox.map((stanza) => stanza.getChild('stanza-id')?.attrs.id)
    const page = await asks(juliet, { to: ROOM, queryId: 'q' })
    t.same(page.bodies, ['one', 'two', 'three'])
    t.same(
      page.results.map(({ id }) => id),
      live,
      'ids of the archive are those that everybody got',
    )
    const [{ carrier, message } = page.results[0]!] = page.results
    t.equal(carrier.attrs.from, ROOM)
    t.equal(carrier.getChild('result')!.attrs.queryid, 'q')
    t.equal(message.attrs.from, `${ROOM}/Romeo`)
    t.equal(message.attrs.to, undefined, 'said to nobody')
    t.equal(message.attrs.id, 'id of one')
    t.ok(page.complete)

    const last = await asks(juliet, { to: ROOM, set: '<max>2</max><before/>', flip: true })
    t.same(last.bodies, ['three', 'two'])
    t.notOk(last.complete)
    const after = await asks(juliet, { to: ROOM, fields: { 'after-id': live[0]! } })
    t.same(after.bodies, ['two', 'three'])
    const some = await asks(juliet, { to: ROOM, fields: { ids: [live[2]!, live[0]!] } })
    t.same(some.bodies, ['one', 'three'])
    const his = await asks(juliet, { to: ROOM, fields: { with: `${ROOM}/Romeo` } })
    t.equal(his.bodies.length, 3)
    t.same((await asks(juliet, { to: ROOM, fields: { with: `${ROOM}/Juliet` } })).bodies, [])
    t.equal((await asks(juliet, { to: ROOM, fields: { 'after-id': 'x' } })).error, 'item-not-found')
    t.equal(
      (await asks(juliet, { to: ROOM, fields: { other: 'x' } })).error,
      'feature-not-implemented',
    )
  })

  test(`real addresses are for who may see them, now and when it was said (XEP-0313 §6.1.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const seen = async (client: typeof romeo): Promise<(string | undefined)[]> => {
      const { results } = await asks(client, { to: ROOM, fields: { with: `${ROOM}/Juliet` } })
      return results.map(({ message }) => item(message).jid)
    }
    says(juliet, 'under a nick')
    await w.settle()
    t.same(await seen(romeo), [juliet.jid], 'a moderator')
    t.same(await seen(juliet), [undefined])
    await configures(romeo, { whois: 'anyone' })
    says(juliet, 'openly')
    await w.settle()
    t.same(await seen(juliet), [undefined, juliet.jid], 'what was said under a nick stays so')
    await configures(romeo, { whois: 'moderators' })
    t.same(await seen(juliet), [undefined, undefined])
    t.same(await seen(romeo), [juliet.jid, juliet.jid])
    const { results } = await asks(juliet, { to: ROOM })
    for (const { message } of results) t.notOk(message.getChild('x', NS_USER))
  })

  test(`what was said goes with the room, and a new one of its name knows nothing of it (XEP-0045 §10.9, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
    says(juliet, 'a secret')
    await w.settle()
    const kept = await w.server.messages.scan(0, 10)
    t.equal(kept.length, 1)
    await romeo.asks(
      'set',
      ROOM,
      `<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>`,
    )
    for (const client of [romeo, juliet]) await client.clears()
    await opened(w, { Romeo: romeo, Juliet: juliet })
    t.same((await asks(romeo, { to: ROOM })).bodies, [])
    t.same(
      juliet.inbox.filter((stanza) => stanza.getChild('body')),
      [],
    )
    // On SQLite a node knows of its own what is not in the index on disk yet.
    for (const { messages } of w.servers) await messages.indexed()
    w.clock.advance(61_000)
    await w.settle()
    t.same(await w.server.messages.scan(0, 10), [])
    t.same(await w.server.database.knex('rooms_gone'), [])
  })

  test(`a room says that it has an archive, and where it begins and ends (XEP-0313 §5, §7, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread, modules: ['rooms', 'disco', 'search'] })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const info = async (): Promise<string[]> => {
      const answer = await juliet.asks('get', ROOM, `<query xmlns='${NS_INFO}'/>`)
      const found = answer.getChild('query')!.getChildren('feature')
      return found.map(({ attrs }) => String(attrs.var))
    }
    const features = await info()
    const wanted = [NS_ARCHIVE, `${NS_ARCHIVE}#extended`, 'urn:xmpp:sid:0', 'urn:xmpp:fulltext:0']
    t.same(
      wanted.filter((name) => !features.includes(name)),
      [],
    )
    const metadata = `<metadata xmlns='${NS_ARCHIVE}'/>`
    t.equal((await juliet.asks('get', ROOM, metadata)).getChild('metadata')!.children.length, 0)
    for (const body of ['a', 'b']) {
      says(romeo, body)
      await w.settle()
    }
    const ends = (await juliet.asks('get', ROOM, metadata)).getChild('metadata')!
    const { results } = await asks(juliet, { to: ROOM })
    t.equal(ends.getChild('start')!.attrs.id, results[0]!.id)
    t.equal(ends.getChild('end')!.attrs.id, results[1]!.id)
    const form = await juliet.asks('get', ROOM, `<query xmlns='${NS_ARCHIVE}'/>`)
    t.ok(form.toString().includes('{urn:xmpp:fulltext:0}fulltext'))
    await configures(romeo, { enablearchiving: '0' })
    t.notOk((await info()).includes(NS_ARCHIVE))
  })
}
