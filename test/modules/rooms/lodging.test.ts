// What is said in a large room goes out in parts, and whoever has nothing to do with the room comes between
// them; in the room nothing is out of order.

import { test } from 'tap'
import type { Host } from '../../../lib/core/host.js'
import type { Session } from '../../../lib/core/session.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { Lodging } from '../../../modules/rooms/nodes/lodging.js'

const room = Jid.parse('orchard@rooms.capulet.example')
const from = room.withResource('Romeo')
const SIZE = 1200

const turn = () => new Promise((resolve) => setImmediate(resolve))

function said(number: number) {
  const stanza = Stanza.parse(`<message type='groupchat'><body>${number}</body></message>`)
  return { stanza, from, number, previous: number - 1, arrived: 0 }
}

function crowd() {
  const under: Promise<unknown>[] = []
  const server = { pending: (promise: Promise<unknown>) => under.push(promise) }
  const place = { room, log: 1, epoch: 1, shown: 0 }
  const lodging = new Lodging({ server } as unknown as Host, place, () => '')
  const got = new Map<string, string[]>()
  for (let i = 0; i < SIZE; i++) {
    const jid = Jid.parse(`u${i}@capulet.example/phone`)
    const texts: string[] = []
    got.set(jid.text, texts)
    const write = ({ stanza }: Envelope) => texts.push(stanza.text('body')!)
    lodging.guests.set(jid.text, {
      ...{ session: { jid, write } as unknown as Session, nick: `n${i}`, position: 0 },
    })
  }
  const arrived = () => [...got.values()].filter((texts) => texts.length > 0).length
  return { lodging, got, arrived, under }
}

test('in a large room others come between the parts, and who is in it gets everything in order', async (t) => {
  const { lodging, got, arrived, under } = crowd()
  const all = [...got.keys()]
  const order: string[] = []
  lodging.said([said(1)], all)
  lodging.said([said(2)], all)
  lodging.inTurn(() => order.push('after both'))
  t.equal(arrived(), 500, 'the first part leaves at once')
  t.equal(lodging.shown, 0, 'it is not shown to everybody yet')
  await turn()
  t.equal(arrived(), 1000)
  t.same(order, [])
  t.ok(under.length > 0, 'whoever stops the server waits for the rest')
  for (let turns = 0; turns < 10; turns++) await turn()
  for (const texts of got.values()) t.same(texts, ['1', '2'])
  t.equal(lodging.shown, 2)
  t.same(order, ['after both'])
})

test('who goes while a message goes out gets nothing more', async (t) => {
  const { lodging, got } = crowd()
  const all = [...got.keys()]
  lodging.said([said(1)], all)
  lodging.guests.delete(all[1100]!)
  for (let turns = 0; turns < 5; turns++) await turn()
  t.same(got.get(all[1100]!), [])
  t.same(got.get(all[1199]!), ['1'])
})
