// Hats (XEP-0317): what an admin of a room calls people, by commands of the room (XEP-0050).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { command, NS_COMMANDS, status, submitted, values } from '../commands/ad-hoc.js'
import { codes, condition, enters, opened, ROOM, roomsWorld } from './rooms-world.js'

const NS = 'urn:xmpp:hats:0'
const COMMANDS = 'urn:xmpp:hats:commands'
const HOST = 'http://hats.example/host'
const SCRIBE = 'http://hats.example/scribe'

type Fields = Record<string, string>

function does(client: Client, name: string, fields?: Fields): Promise<Element> {
  const named = Object.entries(fields ?? {}).map(([field, value]) => [`hats#${field}`, value])
  const form = fields ? submitted(Object.fromEntries(named), 'submit', COMMANDS) : ''
  return command(client, `${COMMANDS}:${name}`, { to: ROOM, form })
}

/** Titles of the hats in a presence */
function worn(presence: Element): string[] {
  const hats = presence.getChildren('hats', NS)
  if (hats.length > 1) throw new Error(`two lists of hats in ${presence}`)
  return (hats[0]?.getChildren('hat') ?? []).map(({ attrs }) => String(attrs.title))
}

/** Rows of a table in an answer */
function rows(answer: Element): Fields[] {
  const form = answer.getChild('command', NS_COMMANDS)?.getChild('x', 'jabber:x:data')
  return (form?.getChildren('item') ?? []).map((item) =>
    Object.fromEntries(
      item.getChildren('field').map((one) => [one.attrs.var, one.getChildText('value') ?? '']),
    ),
  )
}

async function hash(client: Client): Promise<string | undefined> {
  const info = await client.asks(
    'get',
    ROOM,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const form = info.getChild('query')!.getChild('x', 'jabber:x:data')!
  const field = form.getChildren('field').find(({ attrs }) => attrs.var === 'hats#hash')
  return field?.getChildText('value') ?? undefined
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`an admin makes a hat, gives it and takes it, and everybody sees it (XEP-0317 §3, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    t.equal(await hash(juliet), undefined, 'no hats, no hash (§2)')

    const asked = await does(romeo, 'create')
    t.equal(status(asked), 'executing')
    t.same(values(asked, 'FORM_TYPE'), [COMMANDS])
    t.ok(values(asked, 'hats#title') && values(asked, 'hats#uri') && values(asked, 'hats#hue'))
    const made = await does(romeo, 'create', { title: 'Host', uri: HOST, hue: '327.25' })
    t.equal(status(made), 'completed')
    const changed = await juliet.finds(`<message type='groupchat' from='${ROOM}'/>`)
    t.same(codes(changed), ['104'], 'the list is another one (§3.2)')
    const first = await hash(juliet)
    t.ok(first)

    const juliets = juliet.jid.split('/')[0]!
    t.equal(status(await does(romeo, 'assign', { jid: juliets, uri: HOST })), 'completed')
    const seen = await romeo.finds(`<presence from='${ROOM}/Juliet'/>`)
    t.same(worn(seen), ['Host'])
    t.match(seen.getChild('hats', NS)!.getChild('hat')!.attrs, { uri: HOST, hue: '327.25' })
    t.same(worn(await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)), ['Host'])

    await does(romeo, 'create', { title: 'Hostess', uri: HOST, hue: '' })
    t.same(worn(await romeo.finds(`<presence from='${ROOM}/Juliet'/>`)), ['Hostess'], '§3.2')
    t.not(await hash(juliet), first)
    await enters(nurse, 'Nurse')
    t.same(worn(await nurse.finds(`<presence from='${ROOM}/Juliet'/>`)), ['Hostess'])

    t.equal(status(await does(romeo, 'unassign', { jid: juliets, uri: HOST })), 'completed')
    t.same(worn(await nurse.finds(`<presence from='${ROOM}/Juliet'/>`)), [])
    t.equal(condition(await does(romeo, 'unassign', { jid: juliets, uri: HOST })), 'item-not-found')
  })

  test(`a hat that is destroyed is worn by nobody (XEP-0317 §3.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await does(romeo, 'create', { title: 'Host', uri: HOST, hue: '' })
    await does(romeo, 'create', { title: 'Scribe', uri: SCRIBE, hue: '10' })
    await does(romeo, 'assign', { jid: 'juliet@capulet.example', uri: HOST })
    await does(romeo, 'assign', { jid: 'juliet@capulet.example', uri: SCRIBE })
    await does(romeo, 'assign', { jid: 'tybalt@capulet.example', uri: SCRIBE })
    const all = rows(await does(romeo, 'list-assigned'))
    t.same(
      all.map((row) => `${row['hats#jid']} ${row['hats#title']}`),
      [
        'juliet@capulet.example Host',
        'juliet@capulet.example Scribe',
        'tybalt@capulet.example Scribe',
      ],
    )
    await juliet.clears()
    t.equal(status(await does(romeo, 'destroy', { uri: SCRIBE })), 'completed')
    t.same(worn(await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)), ['Host'])
    t.equal(rows(await does(romeo, 'list-assigned')).length, 1)
    t.same(
      rows(await does(juliet, 'list')).map((row) => row['hats#title']),
      ['Host'],
      'occupants may see which there are (§3.4)',
    )
    t.equal(condition(await does(romeo, 'destroy', { uri: SCRIBE })), 'item-not-found')
    t.equal(
      condition(await does(romeo, 'assign', { jid: 'juliet@capulet.example', uri: SCRIBE })),
      'item-not-found',
    )
  })

  test(`nobody else gives hats, and nobody puts one on (XEP-0317 §3, SEC-53, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await does(romeo, 'create', { title: 'Host', uri: HOST, hue: '' })
    const hers = { jid: 'juliet@capulet.example', uri: HOST }
    for (const [name, fields] of [
      ['create', { title: 'Queen', uri: SCRIBE, hue: '' }],
      ['destroy', { uri: HOST }],
      ['assign', hers],
      ['unassign', hers],
      ['list-assigned', undefined],
    ] as const)
      t.equal(condition(await does(juliet, name, fields)), 'forbidden', name)
    t.equal(condition(await does(nurse, 'create')), '', 'an administrator of the host owns it')
    const tybalt = w.person('tybalt')
    t.equal(condition(await does(tybalt, 'list')), 'forbidden', 'from outside')
    t.equal(condition(await does(romeo, 'sell')), 'item-not-found')

    const forged = `<hats xmlns='${NS}'><hat title='Host' uri='${HOST}'/></hats>`
    await romeo.clears()
    juliet.sends(`<presence to='${ROOM}/Juliet'>${forged}</presence>`)
    t.same(worn(await romeo.finds(`<presence from='${ROOM}/Juliet'/>`)), [])
    await enters(tybalt, 'Tybalt', { more: forged })
    t.same(worn(await romeo.finds(`<presence from='${ROOM}/Tybalt'/>`)), [])
  })

  test(`what is no hat is refused, and so is one too many (LIM-hats, LIM-hats-worn, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo } = w
    await opened(w, { Romeo: romeo })
    const made = async (title: string, uri: string, hue = '') =>
      condition(await does(romeo, 'create', { title, uri, hue }))
    t.equal(await made('', HOST), 'not-acceptable')
    t.equal(await made('Host', 'no uri'), 'not-acceptable')
    t.equal(await made('Host', HOST, '361'), 'not-acceptable')
    t.equal(await made('Host', HOST, 'red'), 'not-acceptable')
    for (let i = 0; i < 100; i++) t.equal(await made(`Hat ${i}`, `${HOST}/${i}`), '')
    t.equal(await made('Host', HOST), 'resource-constraint')
    t.equal(await made('Another name', `${HOST}/7`), '', 'but those there are may change')
    const gives = async (i: number) =>
      condition(await does(romeo, 'assign', { jid: 'romeo@capulet.example', uri: `${HOST}/${i}` }))
    for (let i = 0; i < 20; i++) t.equal(await gives(i), '')
    t.equal(await gives(20), 'resource-constraint')
  })

  test(`a room tells of its commands (XEP-0050 §2.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const items = async (client: Client) => {
      const query = `<query xmlns='http://jabber.org/protocol/disco#items' node='${NS_COMMANDS}'/>`
      const answer = await client.asks('get', ROOM, query)
      return answer
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node)
    }
    t.ok((await items(romeo)).includes(`${COMMANDS}:assign`))
    t.notOk((await items(juliet)).includes(`${COMMANDS}:assign`))
    t.ok((await items(juliet)).includes(`${COMMANDS}:list`))
    const info = (client: Client, node: string) =>
      client.asks(
        'get',
        ROOM,
        `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`,
      )
    const known = await info(romeo, `${COMMANDS}:assign`)
    t.match(known.getChild('query')!.getChild('identity')!.attrs, {
      ...{ category: 'automation', type: 'command-node' },
    })
    t.equal(condition(await info(juliet, `${COMMANDS}:assign`)), 'item-not-found')
    const cancelled = await command(romeo, `${COMMANDS}:create`, { to: ROOM, action: 'cancel' })
    t.equal(status(cancelled), 'canceled')
  })
}

test('hats outlive the server, and end with their room (XEP-0317)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo } = w
  await opened(w, { Romeo: romeo }, { fields: { persistentroom: '1' } })
  await does(romeo, 'create', { title: 'Host', uri: HOST, hue: '' })
  await does(romeo, 'assign', { jid: 'romeo@capulet.example', uri: HOST })
  await w.restart()
  const back = await w.device('romeo', 'garden')
  await enters(back, 'Romeo')
  t.same(worn(await back.finds(`<presence from='${ROOM}/Romeo'/>`)), ['Host'])
  const destroy = "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>"
  await back.asks('set', ROOM, destroy)
  t.same(await w.server.database.knex('room_hats'), [])
  t.same(await w.server.database.knex('room_hats_worn'), [])
})
