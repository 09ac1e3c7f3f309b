// How fast one may speak in a room: as its owner wants it (XEP-0500), and as the operator does (LIM-room-rates).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { freshPostgres } from '../../world/postgres.js'
import {
  condition,
  configures,
  enters,
  heard,
  NS_OWNER,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

async function refusal(client: Client): Promise<{ condition: string; type: string; text: string }> {
  const stanza = await client.finds("<message type='error'/>")
  const error = stanza.getChild('error')!
  return {
    condition: condition(stanza),
    type: String(error.attrs.type),
    text: error.getChildText('text') ?? '',
  }
}

for (const nodes of [1, 2] as const)
  test(`who spoke just now waits, where the owner wants that (XEP-0500 §5.3, ${nodes} nodes)`, async (t) => {
    const database = nodes === 2 ? { database: await freshPostgres() } : {}
    const w = await roomsWorld(t, { nodes, spread: nodes === 2, ...database })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const slow = { slow_mode_duration: '20' }
    t.equal((await configures(romeo, slow)).attrs.type, 'result')
    const [changed] = juliet.inbox
    t.equal(changed?.getChild('x')?.getChild('status')?.attrs.code, '104', '§5.2')
    await juliet.clears()
    says(juliet, 'one')
    says(juliet, 'two')
    juliet.sends(
      `<message type='groupchat' to='${ROOM}'><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    )
    await w.settle()
    const refused = await refusal(juliet)
    t.match(refused, { condition: 'policy-violation', type: 'wait', text: /20 seconds/ })
    // Another session and another nick are the same person.
    const tablet = await w.device('juliet', 'tablet')
    await enters(tablet, 'Rosaline')
    await tablet.clears()
    says(tablet, 'three')
    t.equal((await refusal(tablet)).condition, 'policy-violation')
    says(romeo, 'owners need not wait')
    says(romeo, 'at all')
    await w.settle()
    w.clock.advance(20_000)
    says(juliet, 'four')
    t.same((await heard(romeo)).sort(), ['at all', 'four', 'one', 'owners need not wait'])
  })

test('slow mode is told of, and is a number (XEP-0500 §5.1, §5.2)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo } = w
  await opened(w, { Romeo: romeo }, { fields: { slow_mode_duration: '7' } })
  const info = await romeo.asks(
    'get',
    ROOM,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  t.match(`${info}`, 'muc#roominfo_slow_mode_duration"><value>7</value>')
  const form = await romeo.asks('get', ROOM, `<query xmlns='${NS_OWNER}'/>`)
  t.match(`${form}`, 'datatype="xs:integer"><range min="0"')
  for (const wrong of ['-1', 'x', '1.5', '9999999999'])
    t.equal(condition(await configures(romeo, { slow_mode_duration: wrong })), 'not-acceptable')
})

async function paced(t: Parameters<typeof roomsWorld>[0], rooms: object): Promise<World> {
  const w = await roomsWorld(t, { limits: 'default', options: { rooms: { ...rooms } } })
  await opened(w, { Romeo: w.romeo, Juliet: w.juliet, Nurse: w.nurse })
  w.clock.advance(60_000)
  return w
}

test('who speaks too fast is told to wait, and nobody else is (LIM-room-rates)', async (t) => {
  const w = await paced(t, { message_rate: 2 })
  const { romeo, juliet, nurse } = w
  for (let i = 0; i < 12; i++) says(juliet, `${i}`)
  says(nurse, 'patience')
  await w.settle()
  const errors = juliet.inbox.filter(({ attrs }) => attrs.type === 'error')
  t.same(errors.map(condition), ['policy-violation', 'policy-violation'])
  t.equal(errors[0]?.getChild('error')?.attrs.type, 'wait')
  t.equal((await heard(romeo)).length, 11)
  w.clock.advance(1000)
  says(juliet, 'later')
  t.same(await heard(romeo), ['later'])
})

test('a room in which too much is said tells everybody to wait (LIM-room-rates)', async (t) => {
  const w = await paced(t, { room_message_rate: 1 })
  const { juliet, nurse } = w
  for (let i = 0; i < 3; i++) for (const client of [juliet, nurse]) says(client, `${i}`)
  await w.settle()
  t.equal(condition(await nurse.finds("<message type='error'/>")), 'resource-constraint')
})

test('changes of nick and presence have a pace, and going has none (LIM-room-rates)', async (t) => {
  const w = await paced(t, { nick_rate: 2, presence_rate: 3 })
  const { juliet } = w
  for (const nick of ['a', 'b', 'c']) juliet.sends(`<presence to='${ROOM}/${nick}'/>`)
  await w.settle()
  t.equal(condition(await juliet.finds("<presence type='error'/>")), 'policy-violation')
  for (let i = 0; i < 4; i++) juliet.sends(`<presence to='${ROOM}/b'><show>away</show></presence>`)
  await w.settle()
  t.equal(condition(await juliet.finds("<presence type='error'/>")), 'policy-violation')
  juliet.sends(`<presence to='${ROOM}/b' type='unavailable'/>`)
  t.ok(
    await juliet.finds(
      `<presence from='${ROOM}/b' type='unavailable'><x><status code='110'/></x></presence>`,
    ),
  )
})

test('invitations and other requests have a pace (LIM-room-rates)', async (t) => {
  const { juliet } = await paced(t, { invitation_rate: 1 })
  const invite = `<message to='${ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='tybalt@capulet.example'/></x></message>`
  for (let i = 0; i < 2; i++) juliet.sends(invite)
  await juliet.settle()
  const errors = juliet.inbox.filter(({ attrs }) => attrs.type === 'error').map(condition)
  t.ok(errors.includes('policy-violation'))
})
