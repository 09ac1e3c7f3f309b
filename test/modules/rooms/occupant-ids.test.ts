// Who somebody is in a room, whatever the nick (XEP-0421).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { enters, opened, ROOM, roomsWorld, says, SERVICE } from './rooms-world.js'

const NS = 'urn:xmpp:occupant-id:0'
const FORGED = `<occupant-id xmlns='${NS}' id='forged'/>`

/** The one id in a stanza */
function idIn(element: Element): string {
  const ids = element.getChildren('occupant-id', NS)
  if (ids.length !== 1) throw new Error(`${ids.length} ids in ${element}`)
  return String(ids[0]!.attrs.id)
}

async function features(client: Client, to: string): Promise<unknown[]> {
  const info = await client.asks(
    'get',
    to,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  return info
    .getChild('query')!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`everything from an occupant carries its id once, and none that was forged (XEP-0421 §4, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo })
    await enters(juliet, 'Juliet', { more: FORGED })
    const id = idIn(await romeo.finds(`<presence from='${ROOM}/Juliet'/>`))
    t.not(id, 'forged')
    t.ok(id.length <= 128)
    t.equal(idIn(await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)), id)
    const other = idIn(await juliet.finds(`<presence from='${ROOM}/Romeo'/>`))
    t.not(other, id)

    says(juliet, 'ay me', { more: FORGED })
    t.equal(idIn(await romeo.finds('<message><body>ay me</body></message>')), id)
    juliet.sends(
      `<message type='groupchat' to='${ROOM}'>${FORGED}<x xmlns='urn:example'/></message>`,
    )
    t.equal(idIn(await romeo.finds("<message><x xmlns='urn:example'/></message>")), id)
    juliet.sends(`<message type='chat' to='${ROOM}/Romeo'><body>psst</body>${FORGED}</message>`)
    t.equal(idIn(await romeo.finds('<message><body>psst</body></message>')), id)

    juliet.sends(`<presence to='${ROOM}/Jules'>${FORGED}<show>away</show></presence>`)
    const gone = await romeo.finds(`<presence type='unavailable' from='${ROOM}/Juliet'/>`)
    t.equal(idIn(gone), id)
    t.equal(idIn(await romeo.finds(`<presence from='${ROOM}/Jules'/>`)), id, 'the nick is another')

    await enters(nurse, 'Nurse')
    const said = await nurse.finds('<message><body>ay me</body></message>')
    t.equal(idIn(said), id, 'history has it, too')
    juliet.sends(`<presence type='unavailable' to='${ROOM}/Jules'>${FORGED}</presence>`)
    t.equal(idIn(await romeo.finds(`<presence type='unavailable' from='${ROOM}/Jules'/>`)), id)
  })

  test(`it says nothing in another room, and support is told of (XEP-0421 §2, §4.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo } = w
    await opened(w, { Romeo: romeo })
    await enters(romeo, 'Romeo', { room: `crypt@${SERVICE}` })
    const there = idIn(await romeo.finds(`<presence from='crypt@${SERVICE}/Romeo'/>`))
    await enters(romeo, 'Romeo')
    t.not(idIn(await romeo.finds(`<presence from='${ROOM}/Romeo'/>`)), there)
    t.ok((await features(romeo, ROOM)).includes(NS))
    t.ok((await features(romeo, SERVICE)).includes(NS), 'no room is without')
  })
}

test('it is the same after the server began again (XEP-0421 §4.1)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo }, { fields: { persistentroom: '1' } })
  await enters(juliet, 'Juliet')
  says(juliet, 'good night')
  const before = idIn(await romeo.finds(`<presence from='${ROOM}/Juliet'/>`))
  await w.restart()
  const back = await w.device('juliet', 'garden')
  await enters(back, 'Capulet')
  t.equal(idIn(await back.finds(`<presence from='${ROOM}/Capulet'/>`)), before)
  t.equal(idIn(await back.finds('<message><body>good night</body></message>')), before)
})
