// What can be found out about rooms and their service (XEP-0045 §6).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { DOMAIN } from '../../world/world.js'
import { condition, configures, enters, opened, ROOM, roomsWorld, SERVICE } from './rooms-world.js'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'

function info(client: Client, to: string, node = ''): Promise<Element> {
  return client.asks('get', to, `<query xmlns='${INFO}'${node && ` node='${node}'`}/>`)
}

async function items(client: Client, to: string, inside = ''): Promise<Element[]> {
  const answer = await client.asks('get', to, `<query xmlns='${ITEMS}'>${inside}</query>`)
  return answer.getChild('query')?.getChildren('item') ?? []
}

function features(answer: Element): string[] {
  const all = answer.getChild('query')?.getChildren('feature') ?? []
  return all.map(({ attrs }) => String(attrs.var))
}

function fields(answer: Element): Record<string, string> {
  const x = answer.getChild('query')?.getChild('x')
  const all = x?.getChildren('field') ?? []
  return Object.fromEntries(all.map((one) => [one.attrs.var, one.getChildText('value') ?? '']))
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = { nodes, spread: nodes === 2 }

  test(`the service is found, and says what it is (XEP-0045 §6.1, §6.2, ${where})`, async (t) => {
    const { juliet } = await roomsWorld(t, options)
    const found = await items(juliet, DOMAIN)
    t.ok(found.some(({ attrs }) => attrs.jid === SERVICE))
    const answer = await info(juliet, SERVICE)
    const identity = answer.getChild('query')?.getChild('identity')
    t.match(identity?.attrs, { category: 'conference', type: 'text' })
    const { length } = ['', '#stable_id'].filter((part) =>
      features(answer).includes(`http://jabber.org/protocol/muc${part}`),
    )
    t.equal(length, 2)
  })

  test(`rooms are found that are not hidden, a page at a time (§6.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    for (const name of ['a', 'b', 'c', 'd']) {
      const room = `${name}@${SERVICE}`
      await opened(w, { Romeo: romeo }, { room, fields: { roomname: `Room ${name}` } })
    }
    await configures(romeo, { publicroom: '0' }, `b@${SERVICE}`)
    await enters(romeo, 'Romeo', { room: `e@${SERVICE}` })
    const all = await items(juliet, SERVICE)
    t.same(
      all.map(({ attrs }) => attrs.name),
      ['Room a', 'Room c', 'Room d'],
      'neither what is hidden nor what is not there yet',
    )
    const rsm = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>a</after></set>"
    const page = await items(juliet, SERVICE, rsm)
    t.same(
      page.map(({ attrs }) => attrs.jid),
      [`c@${SERVICE}`, `d@${SERVICE}`],
    )
  })

  test(`a room says what kind of room it is (§6.4, §4.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: { roomname: 'Orchard', roomdesc: 'By night' } })
    const open = await info(juliet, ROOM)
    const query = open.getChild('query')
    t.match(query?.getChild('identity')?.attrs, { category: 'conference', name: 'Orchard' })
    const kinds = features(open).filter((name) => name.startsWith('muc_'))
    t.same(kinds, [
      ...['muc_open', 'muc_public', 'muc_semianonymous'],
      ...['muc_temporary', 'muc_unmoderated', 'muc_unsecured'],
    ])
    t.match(fields(open), {
      FORM_TYPE: 'http://jabber.org/protocol/muc#roominfo',
      'muc#roominfo_description': 'By night',
      'muc#roominfo_occupants': '1',
    })
    const other = {
      ...{ membersonly: '1', publicroom: '0', moderatedroom: '1', persistentroom: '1' },
      ...{ whois: 'anyone', passwordprotectedroom: '1', roomsecret: 'rose' },
    }
    await configures(romeo, other)
    const closed = features(await info(juliet, ROOM)).filter((name) => name.startsWith('muc_'))
    t.same(closed, [
      ...['muc_hidden', 'muc_membersonly', 'muc_moderated', 'muc_nonanonymous'],
      ...['muc_passwordprotected', 'muc_persistent'],
    ])
    const nowhere = await info(juliet, `nowhere@${SERVICE}`)
    t.equal(condition(nowhere), 'item-not-found')
    const traffic = await info(juliet, ROOM, 'http://jabber.org/protocol/muc#traffic')
    t.equal(condition(traffic), 'service-unavailable', 'nothing is left out (§18.1.1)')
  })

  test(`who is in a room is told where the room may be found and entered (§6.5, §6.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    t.same(
      (await items(juliet, ROOM)).map(({ attrs }) => attrs.jid),
      [`${ROOM}/Romeo`],
    )
    t.equal(condition(await info(juliet, `${ROOM}/Romeo`)), 'bad-request', '§6.6')
    await configures(romeo, { publicroom: '0' })
    t.same(await items(juliet, ROOM), [])
    await enters(juliet, 'Juliet')
    t.equal((await items(juliet, ROOM)).length, 2)
  })
}
