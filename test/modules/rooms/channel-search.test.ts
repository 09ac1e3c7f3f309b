// Looking for rooms (XEP-0433): those that anybody may find, a page at a time.

import { test, type Test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { condition, configures, enters, opened, roomsWorld, SERVICE } from './rooms-world.js'

const NS = 'urn:xmpp:channel-search:0'
const BY_ADDRESS = `{${NS}:order}address`
const BY_USERS = `{${NS}:order}nusers`

type Fields = Record<string, string | readonly string[]>

function searches(client: Client, fields: Fields, set = ''): Promise<Element> {
  const written = Object.entries({ FORM_TYPE: `${NS}:search-params`, ...fields }).map(
    ([name, value]) =>
      `<field var='${name}'>${[value]
        .flat()
        .map((one) => `<value>${one}</value>`)
        .join('')}</field>`,
  )
  const form = `<x xmlns='jabber:x:data' type='submit'>${written.join('')}</x>`
  const page = set === '' ? '' : `<set xmlns='http://jabber.org/protocol/rsm'>${set}</set>`
  return client.asks('get', SERVICE, `<search xmlns='${NS}:search'>${page}${form}</search>`)
}

function items(answer: Element): Element[] {
  return answer.getChild('result', `${NS}:search`)?.getChildren('item') ?? []
}

/** Names of rooms in the order of the answer */
function names(answer: Element): string[] {
  return items(answer).map(({ attrs }) => String(attrs.address).split('@')[0]!)
}

function set(answer: Element, name: string): string | null | undefined {
  return answer.getChild('result')?.getChild('set')?.getChildText(name)
}

/** The application condition of an error, and its type */
function why(answer: Element): string {
  const error = answer.getChild('error')!
  const more = error.children.find(
    (one) => typeof one !== 'string' && one.getNS() === `${NS}:error`,
  )
  return `${error.attrs.type} ${condition(answer)} ${(more as Element | undefined)?.name}`
}

/** Rooms of Romeo's with their settings; what they say to him is forgotten. */
async function rooms(w: World, all: Record<string, Fields>): Promise<void> {
  for (const [name, fields] of Object.entries(all)) {
    const room = `${name}@${SERVICE}`
    await opened(
      w,
      { Romeo: w.romeo },
      { room, fields: { persistentroom: '1', ...fields } as never },
    )
  }
}

async function verona(t: Test, nodes: 1 | 2): Promise<World> {
  const w = await roomsWorld(t, { nodes, spread: nodes === 2 })
  await rooms(w, {
    orchard: { roomname: 'The Orchard', roomdesc: 'Fruit, walls and BALCONIES', lang: 'en' },
    crypt: { roomname: 'Capulet tomb', membersonly: '1' },
    cell: { roomname: 'Friar', roomdesc: 'herbs', publicroom: '0' },
    square: { roomname: 'Public place', roomdesc: 'fights', whois: 'anyone' },
    vault: { roomname: 'Balcony of the bank', passwordprotectedroom: '1', roomsecret: 'x' },
  })
  await enters(w.romeo, 'Romeo', { room: `locked@${SERVICE}` })
  return w
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'

  test(`words are found in names, descriptions and addresses of public rooms (XEP-0433 §4.2, ${where})`, async (t) => {
    const { juliet } = await verona(t, nodes)
    const finds = async (fields: Fields) =>
      names(await searches(juliet, { key: BY_ADDRESS, ...fields }))
    t.same(await finds({ q: 'balcon' }), ['orchard', 'vault'])
    t.same(await finds({ q: 'balcon fruit' }), ['orchard'], 'all words')
    t.same(await finds({ q: '"public place"' }), ['square'])
    t.same(await finds({ q: 'crypt' }), ['crypt'])
    t.same(await finds({ q: 'crypt', sinaddress: 'false' }), [])
    t.same(await finds({ q: 'crypt', sinaddr: '0' }), [])
    t.same(await finds({ q: 'balcon', sindescription: 'false' }), ['vault'])
    t.same(await finds({ q: 'balcon', sinname: '0' }), ['orchard'])
    t.same(await finds({ q: 'herbs' }), [], 'a hidden room is not found')
    t.same(
      await finds({ all: 'true' }),
      ['crypt', 'orchard', 'square', 'vault'],
      'nor a locked one',
    )
    t.same(await finds({ all: '1', types: 'xep-0369' }), [], 'another kind of room')
    t.same(await finds({ all: '1', types: ['xep-0369', 'xep-0045'] }), [
      ...['crypt', 'orchard', 'square', 'vault'],
    ])
  })

  test(`a room says what it is (XEP-0433 §6.2, ${where})`, async (t) => {
    const w = await verona(t, nodes)
    await enters(w.juliet, 'Juliet', { room: `orchard@${SERVICE}` })
    await w.settle()
    const answer = await searches(w.nurse, { all: 'true', key: BY_ADDRESS })
    const told = Object.fromEntries(
      items(answer).map((item) => [
        String(item.attrs.address),
        Object.fromEntries((item.children as Element[]).map((one) => [one.name, one.getText()])),
      ]),
    )
    t.match(told[`orchard@${SERVICE}`], {
      ...{ name: 'The Orchard', description: 'Fruit, walls and BALCONIES', language: 'en' },
      ...{ nusers: '2', 'service-type': 'xep-0045', 'is-open': 'true' },
      'anonymity-mode': 'muc_semianonymous',
    })
    t.equal(told[`square@${SERVICE}`]?.['anonymity-mode'], `{${NS}:anonymity}none`)
    t.notOk('is-open' in told[`crypt@${SERVICE}`]!, 'members only')
    t.notOk('is-open' in told[`vault@${SERVICE}`]!, 'with a password')
    t.equal(condition(answer), '')

    w.clock.advance(30_000)
    const busy = await searches(w.nurse, { all: 'true', min_users: '2' })
    t.same(names(busy), ['orchard'])
    const first = names(await searches(w.nurse, { all: 'true', key: BY_USERS }))
    t.same(first, ['orchard', 'crypt', 'square', 'vault'], 'most people first')
  })

  test(`a result comes a page at a time (XEP-0433 §4.2.2.1, XEP-0059, ${where})`, async (t) => {
    const { juliet } = await verona(t, nodes)
    for (const key of [BY_ADDRESS, BY_USERS]) {
      const one = await searches(juliet, { all: 'true', key }, '<max>3</max>')
      t.same(names(one), ['crypt', 'orchard', 'square'])
      t.equal(set(one, 'count'), '4')
      const two = await searches(
        juliet,
        { all: 'true', key },
        `<max>3</max><after>${set(one, 'last')}</after>`,
      )
      t.same(names(two), ['vault'])
      const back = `<max>2</max><before>${set(two, 'first')}</before>`
      t.same(names(await searches(juliet, { all: 'true', key }, back)), ['orchard', 'square'])
      const last = await searches(juliet, { all: 'true', key }, '<max>1</max><before/>')
      t.same(names(last), ['vault'])
      const count = await searches(juliet, { all: 'true', key }, '<max>0</max>')
      t.same([names(count), set(count, 'count')], [[], '4'])
    }
    const never = await searches(juliet, { all: 'true' }, '<after>never given</after>')
    t.equal(condition(never), 'item-not-found')
  })

  test(`a room that is hidden meanwhile is not given out (${where})`, async (t) => {
    const { juliet, romeo } = await verona(t, nodes)
    await searches(juliet, { all: 'true' })
    await configures(romeo, { publicroom: '0' }, `orchard@${SERVICE}`)
    const answer = await searches(juliet, { all: 'true', key: BY_ADDRESS })
    t.same(names(answer), ['crypt', 'square', 'vault'])
  })

  test(`what cannot be answered is refused with its reason (XEP-0433 §4.2.2, ${where})`, async (t) => {
    const w = await verona(t, nodes)
    const { juliet } = w
    const refused = async (fields: Fields) => why(await searches(juliet, fields))
    t.equal(
      await refused({ q: 'balcony', key: 'size' }),
      'modify feature-not-implemented invalid-sort-key',
    )
    t.equal(await refused({ q: 'a' }), 'modify bad-request invalid-search-terms')
    t.equal(await refused({ q: '' }), 'modify bad-request invalid-search-terms')
    t.equal(
      await refused({ q: 'ab cd ef gh ij kl mn op qr st uv' }),
      'modify bad-request invalid-search-terms',
      'LIM-search-terms',
    )
    t.equal(await refused({ q: 'balcony', all: 'true' }), 'modify bad-request conflicting-fields')
    t.equal(await refused({}), 'cancel bad-request no-search-conditions')
    for (let i = 0; i < 30; i++) await searches(w.nurse, { all: '1' })
    const often = await searches(w.nurse, { all: '1' })
    t.equal(why(often), 'wait resource-constraint rate-limit', '§4.2.2.3, LIM-room-asking')
    t.equal(
      often.getChild('error')?.getChild('rate-limit', `${NS}:error`)?.attrs['retry-after'],
      '1',
    )
    t.equal((await searches(juliet, { all: '1' })).attrs.type, 'result', 'others may')
    w.clock.advance(1000)
    t.equal((await searches(w.nurse, { all: '1' })).attrs.type, 'result')
    const form = await juliet.asks('get', SERVICE, `<search xmlns='${NS}:search'/>`)
    const x = form.getChild('search', `${NS}:search`)?.getChild('x', 'jabber:x:data')
    const fields = x?.getChildren('field').map(({ attrs }) => attrs.var)
    t.same(fields, [
      'FORM_TYPE',
      'q',
      'all',
      'sinname',
      'sindescription',
      'sinaddress',
      'min_users',
      'types',
      'key',
    ])
    const info = await juliet.asks(
      'get',
      SERVICE,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
    t.ok(features.includes(`${NS}:search`), '§4.1')
  })
}
