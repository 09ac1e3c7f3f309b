// A room's card and picture (XEP-0486, XEP-0054, XEP-0153).

import { createHash } from 'node:crypto'
import { test } from 'tap'
import type { Client } from '../../world/client.js'
import {
  codes,
  condition,
  configures,
  enters,
  opened,
  ROOM,
  roomsWorld,
  SERVICE,
} from './rooms-world.js'

const NS = 'vcard-temp'
const PICTURE = Buffer.from('a picture of an orchard').toString('base64')
const HASH = createHash('sha1').update('a picture of an orchard').digest('hex')
const OTHER = createHash('sha1').update('another').digest('hex')

function photo(data: string, type = 'image/png'): string {
  return `<PHOTO><TYPE>${type}</TYPE><BINVAL>${data}</BINVAL></PHOTO>`
}

function sets(client: Client, inside: string) {
  return client.asks('set', ROOM, `<vCard xmlns='${NS}'>${inside}</vCard>`)
}

async function card(client: Client, to = ROOM) {
  return (await client.asks('get', to, `<vCard xmlns='${NS}'/>`)).getChild('vCard', NS)
}

/** Values of a field that the room tells of itself */
async function told(client: Client, field: string, room = ROOM): Promise<string[] | undefined> {
  const info = await client.asks(
    'get',
    room,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const form = info.getChild('query')!.getChild('x', 'jabber:x:data')!
  const found = form.getChildren('field').find(({ attrs }) => attrs.var === field)
  return found?.getChildren('value').map((value) => value.getText())
}

/** What the room says of its picture by presence of its own (XEP-0486 §5.2) */
async function shown(client: Client): Promise<(string | undefined)[]> {
  await client.settle()
  const own = client.inbox.filter((one) => one.is('presence') && one.attrs.from === ROOM)
  client.inbox = client.inbox.filter((one) => !own.includes(one))
  return own.map(
    (one) => one.getChild('x', 'vcard-temp:x:update')?.getChildText('photo') ?? undefined,
  )
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`an owner gives a room a picture, and whoever may know the room finds it (XEP-0486 §3, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    t.equal(await told(nurse, 'muc#roominfo_avatarhash'), undefined, 'there is none (§4)')
    t.same((await card(nurse))?.children, [])
    t.same(await shown(juliet), [])

    t.equal((await sets(romeo, photo(PICTURE))).attrs.type, 'result')
    const changed = await juliet.finds(`<message type='groupchat' from='${ROOM}'/>`)
    t.same(codes(changed), ['104'])
    t.same(await shown(juliet), [HASH])
    t.same(await shown(romeo), [HASH])
    t.same(await told(nurse, 'muc#roominfo_avatarhash'), [HASH])
    t.same(await told(nurse, '{http://modules.prosody.im/mod_vcard_muc}avatar#sha1'), [HASH])
    const found = (await card(nurse))?.getChild('PHOTO')
    t.equal(found?.getChildText('BINVAL'), PICTURE)
    t.equal(found?.getChildText('TYPE'), 'image/png')

    await enters(nurse, 'Nurse')
    t.same(await shown(nurse), [HASH], 'who enters hears of it')
    await juliet.clears()
    await sets(romeo, `<FN>The orchard</FN>${photo(PICTURE)}`)
    t.same(await shown(juliet), [], 'the picture is the same')

    t.equal((await sets(romeo, '')).attrs.type, 'result')
    t.same(await shown(juliet), [''], 'an empty card takes it away (§3.2)')
    t.equal(await told(nurse, 'muc#roominfo_avatarhash'), undefined)
    t.same((await card(nurse))?.children, [])
  })

  test(`only owners set it, within bounds (XEP-0486 §6, LIM-room-pictures, ${where})`, async (t) => {
    const options = { rooms: { card_size: '1 KiB' } }
    const w = await roomsWorld(t, { nodes, spread, options })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    t.equal(condition(await sets(juliet, photo(PICTURE))), 'forbidden')
    t.equal(condition(await sets(romeo, photo('x'.repeat(2000)))), 'not-acceptable')
    t.equal(condition(await sets(romeo, photo('not base64!'))), 'bad-request')
    t.equal(condition(await sets(romeo, photo(PICTURE).repeat(6))), 'not-acceptable')
    t.equal((await sets(romeo, photo(PICTURE) + photo('YW5vdGhlcg==\n'))).attrs.type, 'result')
    t.same(await told(juliet, 'muc#roominfo_avatarhash'), [HASH, OTHER], 'every version (§5.1)')
  })

  test(`the card of a room that is not open is for those inside (${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await enters(romeo, 'Romeo')
    await sets(romeo, photo(PICTURE))
    const ask = () => juliet.asks('get', ROOM, `<vCard xmlns='${NS}'/>`)
    t.equal(condition(await ask()), 'item-not-found', 'locked (XEP-0045 §10.1.1)')
    await configures(romeo, { membersonly: '1', publicroom: '0' })
    t.equal(condition(await ask()), 'registration-required')
    await configures(romeo, { publicroom: '1' })
    t.equal((await ask()).attrs.type, 'result', 'one that can be found shows its picture')
  })

  test(`the service says that its rooms have cards (XEP-0486 §3.1, ${where})`, async (t) => {
    const { juliet } = await roomsWorld(t, { nodes, spread })
    const info = await juliet.asks(
      'get',
      SERVICE,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info.getChild('query')!.getChildren('feature')
    t.ok(features.some(({ attrs }) => attrs.var === NS))
    t.equal((await card(juliet, SERVICE))?.getChildText('FN'), 'Rooms')
  })
}

test('a card outlives the server and ends with its room (XEP-0486)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo } = w
  await opened(w, { Romeo: romeo }, { fields: { persistentroom: '1' } })
  await sets(romeo, photo(PICTURE))
  await w.restart()
  const back = await w.device('romeo', 'garden')
  t.same(await told(back, 'muc#roominfo_avatarhash'), [HASH])
  t.equal((await card(back))?.getChild('PHOTO')?.getChildText('BINVAL'), PICTURE)
  const destroy = "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>"
  await back.asks('set', ROOM, destroy)
  t.same(await w.server.database.knex('room_cards'), [])
})
