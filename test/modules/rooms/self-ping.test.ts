// Whether one is still in a room: asked of the room by a ping to oneself (XEP-0410).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { condition, enters, opened, ROOM, roomsWorld } from './rooms-world.js'

const PING = "<ping xmlns='urn:xmpp:ping'/>"

function pings(client: Client, nick: string, room = ROOM) {
  return client.asks('get', `${room}/${nick}`, PING)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`the room says itself whether one is in it (XEP-0410 §3.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const answer = await pings(juliet, 'Juliet')
    t.equal(answer.attrs.type, 'result')
    t.equal(answer.attrs.from, `${ROOM}/Juliet`)
    await juliet.receivesNothing()

    const info = await juliet.asks(
      'get',
      ROOM,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
    t.ok(features.includes('http://jabber.org/protocol/muc#self-ping-optimization'))

    t.equal(condition(await pings(nurse, 'Nurse')), 'not-acceptable', 'never entered')
    t.equal(condition(await pings(nurse, 'Romeo')), 'not-acceptable', 'and learns of nobody (§5)')
    const tablet = await w.device('juliet', 'tablet', { node: nodes - 1 })
    t.equal(
      condition(await pings(tablet, 'Juliet')),
      'not-acceptable',
      'another session of hers is not in',
    )
    await enters(tablet, 'Juliet')
    t.equal((await pings(tablet, 'Juliet')).attrs.type, 'result')
    await juliet.clears()

    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    t.equal(condition(await pings(juliet, 'Juliet')), 'not-acceptable', 'has left')
    t.equal((await pings(tablet, 'Juliet')).attrs.type, 'result', 'the other session has not')
  })

  test(`a ping to another nick is not about oneself (XEP-0410 §3.2, §4, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    juliet.sends(`<iq type='get' id='p1' to='${ROOM}/Romeo'>${PING}</iq>`)
    const asked = await romeo.finds(
      `<iq type='get' from='${ROOM}/Juliet'><ping xmlns='urn:xmpp:ping'/></iq>`,
    )
    romeo.sends(
      `<iq type='error' id='${asked.attrs.id}' to='${ROOM}/Juliet'><error type='cancel'>` +
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    )
    const refused = await juliet.finds(`<iq type='error' id='p1' from='${ROOM}/Romeo'/>`)
    t.equal(condition(refused), 'service-unavailable', 'his client knows no pings, and he is here')

    juliet.sends(`<presence to='${ROOM}/Jules'/>`)
    await w.settle()
    t.equal(
      condition(await pings(juliet, 'Juliet')),
      'item-not-found',
      'the nick is another one now',
    )
    t.equal((await pings(juliet, 'Jules')).attrs.type, 'result')
  })

  test(`nobody is in a room that is gone (XEP-0410 §3.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    await romeo.leaves()
    t.equal(condition(await pings(juliet, 'Juliet')), 'not-acceptable')
    t.equal(
      condition(await pings(juliet, 'Juliet', `never@${ROOM.split('@')[1]}`)),
      'not-acceptable',
    )
  })
}

test('who was in a room before the server began again is told the truth (XEP-0410 §1)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
  await w.restart()
  const back = await w.device('juliet', 'garden')
  t.equal(condition(await pings(back, 'Juliet')), 'not-acceptable')
  await enters(back, 'Capulet')
  t.equal((await pings(back, 'Capulet')).attrs.type, 'result')
})
