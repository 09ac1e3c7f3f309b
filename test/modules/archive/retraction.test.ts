// Retractions in the archive (XEP-0424): a tombstone stands where the message was, and nobody else's
// message is touched (SEC-56).

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import type { Client } from '../../world/client.js'
import { DOMAIN } from '../../world/world.js'
import { asks, JULIET, NS_SID, type Result, ROMEO, stores } from './archive-world.js'

const NS_RETRACTION = 'urn:xmpp:message-retract:1'

function says(to: string, id: string, body: string, more = ''): string {
  return `<message to='${to}' type='chat' id='${id}'><body>${body}</body>${more}</message>`
}

function retracts(to: string, id: string, own = `retract ${id}`): string {
  return `<message to='${to}' type='chat' id='${own}'><retract xmlns='${NS_RETRACTION}' id='${id}'/><fallback xmlns='urn:xmpp:fallback:0' for='${NS_RETRACTION}'/><body>I took it back</body><store xmlns='urn:xmpp:hints'/></message>`
}

/** What each message of the archive is now: its words, or what says that they were taken back. */
async function seen(client: Client): Promise<string[]> {
  const { results } = await asks(client)
  return results.map(({ message, body }) => {
    const retracted = message.getChild('retracted', NS_RETRACTION)
    return retracted ? `retracted by ${retracted.attrs.id}` : body
  })
}

for (const store of stores) {
  test(`${store.name}: a tombstone stands in both archives, the retraction is kept (XEP-0424 §4, §5)`, async (t) => {
    const w = await store.world(t)
    const origin = `<origin-id xmlns='${NS_SID}' id='a'/><x xmlns='urn:secret'>too</x>`
    w.romeo.sends(says(w.juliet.jid, 'a', 'wrong words', origin))
    w.romeo.sends(says(w.juliet.jid, 'b', 'right words'))
    await w.settle()
    const ids = (await asks(w.juliet)).results.map(({ id }) => id)
    w.clock.advance(5000)
    await w.juliet.clears()
    // Said by another device, to the bare address.
    const laptop = await w.device('romeo', 'laptop')
    laptop.sends(retracts(JULIET, 'a'))
    await w.settle()
    for (const client of [w.romeo, w.juliet]) {
      t.same(await seen(client), ['retracted by retract a', 'right words', 'I took it back'])
      const { results } = await asks(client)
      t.same(
        results.slice(0, 2).map(({ id }) => id),
        ids,
        'the same ids',
      )
      const [{ message, stamp }] = results.slice(0, 1) as [Result]
      t.equal(stamp, '2026-01-01T00:00:00.000Z', 'and the same time')
      t.match(message.attrs, { id: 'a', type: 'chat', from: w.romeo.jid, to: w.juliet.jid })
      t.equal(message.getChildElements().length, 1, 'nothing of what it said')
      t.equal(message.getChild('retracted')!.attrs.stamp, '2026-01-01T00:00:05.000Z')
    }
    const texts: string[] = await w.server.database.knex('messages').pluck('text')
    t.notMatch(texts.join(''), /wrong words|secret/)
  })

  test(`${store.name}: what was said in the same breath is found (XEP-0424 §3)`, async (t) => {
    const w = await store.world(t)
    w.romeo.sends(
      says(w.juliet.jid, 'a', 'oops') +
        retracts(w.juliet.jid, 'a') +
        says(w.juliet.jid, 'c', 'end'),
    )
    await w.settle()
    t.same(await seen(w.juliet), ['retracted by retract a', 'I took it back', 'end'])
    w.romeo.sends(retracts(w.juliet.jid, 'a', 'again'))
    await w.settle()
    t.equal((await seen(w.juliet))[0], 'retracted by retract a', 'once is enough')
  })

  test(`${store.name}: SEC-56: nobody takes back what another said (XEP-0424 §5)`, async (t) => {
    const w = await store.world(t, { people: ['romeo', 'juliet', 'tybalt'] })
    w.romeo.sends(says(w.juliet.jid, 'a', 'one', `<origin-id xmlns='${NS_SID}' id='origin-a'/>`))
    await w.settle()
    const sealed = (await asks(w.juliet)).results[0]!.id
    const [tybalt, juliet] = [w.person('tybalt'), w.juliet]
    for (const id of ['a', 'origin-a', sealed]) {
      for (const to of [w.romeo.jid, w.juliet.jid, ROMEO, JULIET, tybalt.account]) {
        tybalt.sends(retracts(to, id))
        juliet.sends(retracts(to, id))
      }
      // Who sent it must say so to whom it was sent.
      w.romeo.sends(retracts(tybalt.jid, id))
    }
    const forged = Stanza.parse(
      retracts(w.juliet.jid, 'a').replace('<message', "<message xmlns='jabber:client'"),
    )
    const from = Jid.parse('romeo@montague.example/orchard')
    w.server.router.send(forged, { from, to: Jid.parse(w.juliet.jid) })
    await w.settle()
    for (const client of [w.romeo, w.juliet]) {
      t.equal((await asks(client)).bodies[0], 'one')
    }
  })

  test(`${store.name}: of others, of other servers and of ourselves: whose archive keeps it`, async (t) => {
    const w = await store.world(t)
    const from = Jid.parse('mercutio@verona.example/inn')
    const send = (xml: string) =>
      w.server.router.send(
        Stanza.parse(xml.replace('<message', "<message xmlns='jabber:client'")),
        {
          from,
          to: Jid.parse(w.juliet.jid),
        },
      )
    send(says(w.juliet.jid, 'far', 'from afar'))
    await w.settle()
    send(retracts(w.juliet.jid, 'far'))
    w.romeo.sends(says(ROMEO, 'note', 'to myself'))
    w.romeo.sends(retracts(ROMEO, 'note'))
    w.romeo.sends(says(w.juliet.jid, 'x', 'stays'))
    w.romeo.sends(retracts(w.juliet.jid, 'x').replace('<store ', '<no-store '))
    w.romeo.sends(retracts(w.juliet.jid, 'x', ''))
    await w.settle()
    t.same(await seen(w.juliet), [
      'retracted by retract far',
      'I took it back',
      'stays',
      'I took it back',
    ])
    t.equal((await seen(w.romeo))[0], 'retracted by retract note')
  })
}

test('a retraction is not taken back, and only what was meant is (XEP-0424 §5)', async (t) => {
  const w = await stores[0]!.world(t)
  w.romeo.sends(says(w.juliet.jid, 'a', 'first of that id'))
  await w.settle()
  w.romeo.sends(says(w.juliet.jid, 'a', 'second of that id'))
  await w.settle()
  w.romeo.sends(retracts(w.juliet.jid, 'a', 'r'))
  await w.settle()
  w.romeo.sends(retracts(w.juliet.jid, 'r', 's'))
  await w.settle()
  t.same(await seen(w.juliet), [
    'first of that id',
    'retracted by r',
    'I took it back',
    'I took it back',
  ])
  t.equal((await asks(w.juliet, { fields: { with: `nurse@${DOMAIN}` } })).bodies.length, 0)
})

test('what is still on its way to the disk is found too', async (t) => {
  const w = await stores[0]!.world(t, { database: 'sqlite' })
  const { database } = w.server
  const write = database.write.bind(database)
  database.write = async (writes) => {
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    return write(writes)
  }
  w.romeo.sends(says(w.juliet.jid, 'a', 'oops') + retracts(w.juliet.jid, 'a'))
  await w.settle()
  t.same(await seen(w.juliet), ['retracted by retract a', 'I took it back'])
})
