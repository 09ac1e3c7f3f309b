// The archive as clients see it (XEP-0313, XEP-0359), on both stores.

import { test } from 'tap'
import { DOMAIN } from '../../world/world.js'
import { asks, chat, JULIET, NS_ARCHIVE, NS_SID, ROMEO, says, stores } from './archive-world.js'

for (const store of stores) {
  test(`${store.name}: what was said is in both archives, in order (XEP-0313 §3.1, §4.2)`, async (t) => {
    const { romeo, juliet, clock } = await store.world(t)
    await says(romeo, juliet.jid, 'one')
    clock.advance(1500)
    await says(juliet, romeo.jid, 'two é 💌 &lt;&amp;&apos;')
    for (const client of [romeo, juliet]) {
      const { results, bodies, complete, first, last, iq } = await asks(client, {
        queryId: 'q&apos;&lt;1',
      })
      t.same(bodies, ['one', "two é 💌 <&'"])
      t.ok(complete)
      t.same([first, last], [results[0]!.id, results[1]!.id])
      t.equal(iq.attrs.type, 'result')
      t.equal(results[0]!.carrier.attrs.from, client.account, 'from the archive’s address')
      t.equal(results[0]!.carrier.attrs.to, client.jid)
      t.equal(results[0]!.carrier.getChild('result')!.attrs.queryid, "q'<1")
      t.match(results[0]!.message.attrs, { from: romeo.jid, to: juliet.jid, type: 'chat' })
      t.equal(results[0]!.stamp, '2026-01-01T00:00:00.000Z')
      t.equal(results[1]!.stamp, '2026-01-01T00:00:01.500Z')
    }
  })

  test(`${store.name}: the message that arrives says what the archive calls it (XEP-0313 §3.5)`, async (t) => {
    const { romeo, juliet } = await store.world(t)
    romeo.sends(chat(juliet.jid, 'one'))
    const message = await juliet.receives('<message><body>one</body></message>')
    const ids = message.getChildren('stanza-id', NS_SID)
    const { results } = await asks(juliet)
    t.same(
      ids.map(({ attrs }) => [attrs.by, attrs.id]),
      [[JULIET, results[0]!.id]],
    )
    t.equal(results[0]!.message.getChildren('stanza-id', NS_SID).length, 0)
  })

  test(`${store.name}: by contact, resource, and time (XEP-0313 §4.1.1, §4.1.2)`, async (t) => {
    const people = ['romeo', 'juliet', 'nurse']
    const w = await store.world(t, { people })
    const laptop = await w.device('juliet', 'laptop')
    await says(w.romeo, w.juliet.jid, 'one')
    w.clock.advance(1000)
    await says(w.romeo, w.nurse.jid, 'two')
    w.clock.advance(1000)
    await says(laptop, w.romeo.jid, 'three')
    w.clock.advance(1000)
    await says(w.romeo, ROMEO, 'to myself')
    const bodies = async (fields: Record<string, string>) =>
      (await asks(w.romeo, { fields })).bodies
    t.same(await bodies({ with: JULIET }), ['one', 'three'], 'bare: all resources')
    t.same(await bodies({ with: 'JULIET@Capulet.example' }), ['one', 'three'])
    t.same(await bodies({ with: laptop.jid }), ['three'], 'full: only this one')
    t.same(await bodies({ with: w.juliet.jid }), ['one'])
    t.same(await bodies({ with: ROMEO }), ['to myself'])
    t.same(await bodies({ with: `tybalt@${DOMAIN}` }), [])
    t.same(await bodies({ with: '' }), ['one', 'two', 'three', 'to myself'])
    const at = (second: string) => `2026-01-01T00:00:${second}Z`
    t.same(await bodies({ start: at('01') }), ['two', 'three', 'to myself'], 'its moment too')
    t.same(await bodies({ start: at('01.001') }), ['three', 'to myself'])
    t.same(await bodies({ end: at('01') }), ['one', 'two'])
    t.same(await bodies({ end: at('00.999') }), ['one'])
    t.same(await bodies({ start: '2026-01-01T01:00:01+01:00', end: at('02') }), ['two', 'three'])
    t.same(await bodies({ start: at('01'), with: JULIET }), ['three'])
    t.same(await bodies({ start: '9999-12-31T23:59:59Z' }), [])
    t.same((await bodies({ start: '0001-01-01T00:00:00Z', end: '9999-12-31T23:59:59Z' })).length, 4)
  })

  test(`${store.name}: by id, and one by one (XEP-0313 §4.1.3)`, async (t) => {
    const { romeo, juliet } = await store.world(t)
    await says(romeo, juliet.jid, 'one', 'two', 'three', 'four')
    const [one, two, three, four] = (await asks(romeo)).results.map(({ id }) => id)
    const bodies = async (fields: Record<string, string | string[]>, set?: string) =>
      (await asks(romeo, { fields, ...(set === undefined ? {} : { set }) })).bodies
    t.same(await bodies({ 'after-id': one! }), ['two', 'three', 'four'])
    t.same(await bodies({ 'before-id': three! }), ['one', 'two'])
    t.same(await bodies({ 'after-id': one!, 'before-id': four! }), ['two', 'three'])
    t.same(await bodies({ 'after-id': four!, 'before-id': one! }), [])
    t.same(await bodies({ 'after-id': one! }, '<max>1</max>'), ['two'])
    t.same(
      await bodies({ 'before-id': four! }, '<max>1</max>'),
      ['one'],
      'it does not page backwards',
    )
    t.same(await bodies({ 'before-id': four! }, '<max>1</max><before/>'), ['three'])
    t.same(await bodies({ 'after-id': one! }, `<max>9</max><after>${two}</after>`), [
      'three',
      'four',
    ])
    t.same(await bodies({ ids: [three!, one!] }), ['one', 'three'])
    t.same(await bodies({ ids: [three!, one!, one!] }, '<max>1</max>'), ['one'])
    t.same(await bodies({ ids: [three!, one!], 'after-id': two! }), ['three'])
    t.same(await bodies({ ids: [one!], with: `nurse@${DOMAIN}` }), [])
    const theirs = (await asks(juliet)).results[0]!.id
    t.equal(theirs, one, 'one message, one id')
  })

  test(`${store.name}: ids that are not in this archive are not found (XEP-0313 §4.1.3, §4.3.2)`, async (t) => {
    const people = ['romeo', 'juliet', 'nurse']
    const w = await store.world(t, { people })
    await says(w.romeo, w.juliet.jid, 'one')
    await says(w.romeo, w.nurse.jid, 'two')
    const [mine, hers] = (await asks(w.romeo)).results.map(({ id }) => id)
    t.equal((await asks(w.juliet)).bodies.length, 1)
    for (const id of [hers!, 'aaaaaaaaaaaaa', 'nobody', '1']) {
      for (const name of ['after-id', 'before-id', 'ids']) {
        const answer = await asks(w.juliet, { fields: { [name]: id } })
        t.equal(answer.error, 'item-not-found', `${name} ${id}`)
        t.equal(answer.results.length, 0)
      }
      for (const name of ['after', 'before']) {
        const set = `<${name}>${id}</${name}>`
        t.equal((await asks(w.juliet, { set })).error, 'item-not-found', `${name} ${id}`)
        const fields = { with: ROMEO }
        t.equal((await asks(w.juliet, { set, fields })).error, 'item-not-found')
      }
    }
    t.equal((await asks(w.juliet, { fields: { ids: [mine!, hers!] } })).error, 'item-not-found')
    const elsewhere = await asks(w.romeo, {
      fields: { with: `nurse@${DOMAIN}` },
      set: `<after>${mine}</after>`,
    })
    t.same(elsewhere.bodies, ['two'], 'an id of another conversation is a place too')
  })

  test(`${store.name}: where the archive begins and ends (XEP-0313 §5)`, async (t) => {
    const { romeo, juliet, clock } = await store.world(t)
    const asked = `<metadata xmlns='${NS_ARCHIVE}'/>`
    const empty = (await romeo.asks('get', undefined, asked)).getChild('metadata', NS_ARCHIVE)!
    t.equal(empty.children.length, 0)
    await says(romeo, juliet.jid, 'one')
    const [only] = (await asks(juliet)).results
    const told = async () => {
      const answer = await juliet.asks('get', JULIET, asked)
      const ends = answer.getChild('metadata', NS_ARCHIVE)!.getChildElements()
      return ends.map(({ name, attrs }) => [name, attrs.id, attrs.timestamp])
    }
    const began = '2026-01-01T00:00:00.000Z'
    t.same(await told(), [
      ['start', only!.id, began],
      ['end', only!.id, began],
    ])
    clock.advance(2000)
    await says(juliet, romeo.jid, 'two', 'three')
    const { results } = await asks(juliet)
    t.same(await told(), [
      ['start', only!.id, began],
      ['end', results[2]!.id, '2026-01-01T00:00:02.000Z'],
    ])
  })

  test(`${store.name}: nobody else asks (XEP-0313 §8.1)`, async (t) => {
    const { romeo, juliet } = await store.world(t)
    await says(romeo, juliet.jid, 'one')
    await juliet.clears()
    for (const child of ['query', 'metadata', 'prefs']) {
      for (const type of ['get', 'set'] as const) {
        const answer = await romeo.asks(type, JULIET, `<${child} xmlns='${NS_ARCHIVE}'/>`)
        t.equal(answer.attrs.type, 'error')
      }
    }
    await romeo.receivesNothing()
    await juliet.receivesNothing()
  })

  test(`${store.name}: what is kept is gone with its account, and stays with the other (SEC-28)`, async (t) => {
    const w = await store.world(t)
    await says(w.romeo, w.juliet.jid, 'one')
    await says(w.juliet, w.romeo.jid, 'two')
    await w.server.run(DOMAIN, 'user remove', { jids: [ROMEO] })
    await w.settle()
    await w.juliet.clears()
    t.same((await asks(w.juliet)).bodies, ['one', 'two'])
    await w.server.run(DOMAIN, 'user add', { jid: ROMEO, password: 'another secret', force: true })
    t.same((await asks(await w.device('romeo'))).bodies, [])
    await w.server.run(DOMAIN, 'user remove', { jids: [JULIET] })
    await w.settle()
    t.equal((await w.server.database.knex('messages')).length, 0, 'nobody has it any more')
    t.equal((await w.server.database.knex('archive')).length, 0)
  })

  test(`${store.name}: what is too old goes (XEP-0313 §3.2)`, async (t) => {
    const w = await store.world(t, { options: { archive: { keep: '10 days' } } })
    await says(w.romeo, w.juliet.jid, 'one')
    w.clock.advance(6 * 86_400_000)
    await says(w.romeo, w.juliet.jid, 'two')
    await w.settle()
    const [one] = (await asks(w.romeo)).results
    for (const time of [5 * 86_400_000, 3_600_000]) {
      w.clock.advance(time)
      await w.settle()
    }
    const { bodies } = await asks(w.romeo)
    t.same(bodies, ['two'])
    t.equal((await asks(w.romeo, { set: `<after>${one!.id}</after>` })).error, 'item-not-found')
  })
}
