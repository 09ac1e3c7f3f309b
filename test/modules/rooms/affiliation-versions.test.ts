// Versions of the lists of a room (XEP-0463).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { WorldOptions } from '../../world/world.js'
import { condition, enters, NS_ADMIN, NS_USER, opened, ROOM, roomsWorld } from './rooms-world.js'

const NS_MAV = 'urn:xmpp:muc:affiliations:0'

/** Enters and says which version it knows; what it was told of the lists, and the version that it has now */
async function comes(client: Client, since?: string) {
  const mav = `<mav xmlns='${NS_MAV}'${since === undefined ? '' : ` since='${since}'`}/>`
  await enters(client, nickOf(client), { inside: mav })
  const told = client.inbox.filter((one) => one.is('message') && one.getChild('x', NS_USER))
  const self = client.inbox.find(({ attrs }) => attrs.from === `${ROOM}/${nickOf(client)}`)
  const order = client.inbox.indexOf(told[0]!) < client.inbox.findIndex((one) => one.is('presence'))
  await client.clears()
  return { told, until: markOf(self!).until, first: told.length > 0 && order }
}

function nickOf({ account }: Client): string {
  return account.split('@')[0]!
}

function markOf(element: Element): { since?: string; until?: string } {
  const mav = element.getChild('x', NS_USER)?.getChild('mav', NS_MAV)
  const { since, until } = mav?.attrs ?? {}
  return { ...(since && { since }), ...(until && { until }) }
}

function itemsOf(element: Element): Record<string, string> {
  const items = element.getChild('x', NS_USER)!.getChildren('item')
  return Object.fromEntries(items.map(({ attrs }) => [attrs.jid, attrs.affiliation]))
}

async function affiliates(client: Client, ...items: (readonly [string, string])[]): Promise<void> {
  const all = items.map(([jid, affiliation]) => `<item jid='${jid}' affiliation='${affiliation}'/>`)
  const answer = await client.asks(
    'set',
    ROOM,
    `<query xmlns='${NS_ADMIN}'>${all.join('')}</query>`,
  )
  if (answer.attrs.type !== 'result') throw new Error(`refused: ${answer}`)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }
  const fields = { whois: 'anyone', persistentroom: '1' }

  test(`whoever enters is told what became of the lists since (XEP-0463 §5.2.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { romeo }, { fields })
    const first = await comes(juliet)
    t.ok(first.first, 'before any presence')
    t.same(itemsOf(first.told[0]!), { [romeo.account]: 'owner' })
    t.same(markOf(first.told[0]!), { until: first.until }, 'everything, and no since')

    await affiliates(romeo, ['paris@x.example', 'member'], ['tybalt@x.example', 'outcast'])
    const changes = juliet.inbox.filter((one) => one.is('message'))
    t.same(changes.map(itemsOf), [
      { 'paris@x.example': 'member' },
      { 'tybalt@x.example': 'outcast' },
    ])
    t.equal(markOf(changes[0]!).since, first.until, '§5.2.2')
    t.equal(markOf(changes[1]!).since, markOf(changes[0]!).until, 'one after the other')
    const latest = markOf(changes[1]!).until

    await affiliates(romeo, [juliet.account, 'member'])
    const shown = await juliet.finds(`<presence from='${ROOM}/juliet'/>`)
    t.equal(markOf(shown).since, latest, 'in a presence, too')
    await juliet.clears()

    const diff = await comes(juliet, first.until)
    t.same(markOf(diff.told[0]!), { since: first.until, until: diff.until })
    t.same(
      itemsOf(diff.told[0]!),
      { 'paris@x.example': 'member', 'tybalt@x.example': 'none', [juliet.account]: 'member' },
      'who is banned is the admins’ business',
    )
    t.same((await comes(juliet, diff.until)).told, [], 'nothing where nothing is new')
    const unknown = await comes(juliet, 'nonsense')
    t.equal(markOf(unknown.told[0]!).since, undefined, 'everything, of one that is not known')
  })

  test(`what came and went meanwhile is not told (XEP-0463 §6, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { romeo }, { fields })
    const { until } = await comes(juliet)
    await affiliates(romeo, ['paris@x.example', 'member'])
    await affiliates(romeo, ['paris@x.example', 'none'], ['abram@x.example', 'member'])
    await juliet.clears()
    const { told } = await comes(juliet, until)
    t.same(itemsOf(told[0]!), { 'abram@x.example': 'member' })
  })

  test(`who may not see the lists is refused (XEP-0463 §5.2.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { romeo })
    const { told, until } = await comes(juliet)
    t.same(told, [])
    t.equal(until, undefined)
    await enters(juliet, 'juliet', { inside: `<mav xmlns='${NS_MAV}'/>` })
    const refused = await juliet.finds(`<message type='error' from='${ROOM}'/>`)
    t.equal(condition(refused), 'forbidden')
    const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    const answer = await juliet.asks('get', ROOM, info)
    const features = answer.getChild('query')!.getChildren('feature')
    t.ok(features.some(({ attrs }) => attrs.var === NS_MAV))
  })
}

test('versions outlive the node (XEP-0463 §5.2.1)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const fields = { whois: 'anyone', persistentroom: '1' }
  await opened(w, { romeo: w.romeo }, { fields })
  const { until } = await comes(w.juliet)
  await affiliates(w.romeo, ['paris@x.example', 'member'])
  await w.restart()
  const juliet = await w.device('juliet')
  const { told } = await comes(juliet, until)
  t.same(itemsOf(told[0]!), { 'paris@x.example': 'member' })
})

test('only so many changes are remembered (LIM-affiliation-versions)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { romeo }, { fields: { whois: 'anyone' } })
  const { until } = await comes(juliet)
  for (let round = 0; round < 6; round++) {
    const many = Array.from(
      { length: 200 },
      (_, at) => [`p${at}@x.example`, round % 2 === 0 ? 'member' : 'none'] as const,
    )
    await affiliates(romeo, ...many)
  }
  await affiliates(romeo, ['paris@x.example', 'member'])
  const rows = await w.server.database.knex('room_affiliation_changes').count({ count: '*' })
  t.equal(Number(rows[0]!.count), 1000)
  await juliet.clears()
  const { told } = await comes(juliet, until)
  t.equal(markOf(told[0]!).since, undefined, 'it is not known any more: everything')
  t.same(itemsOf(told[0]!), { [romeo.account]: 'owner', 'paris@x.example': 'member' })
})
