// Service Discovery (XEP-0030): the host, accounts, nodes, and who is told what.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { xml } from '../../lib/xmpp/element.js'
import { world } from '../world/world.js'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const info = (node = '') => `<query xmlns='${INFO}'${node && ` node='${node}'`}/>`
const items = (node = '') => `<query xmlns='${ITEMS}'${node && ` node='${node}'`}/>`

const rooms = defineModule({
  name: 'rooms-of-a-test',
  summary: 'Something that has items and nodes',
  setup: () => ({
    disco: {
      server: ['urn:test:b', 'urn:test:a', 'urn:test:a'],
      account: ['urn:test:account'],
      identities: [{ category: 'pubsub', type: 'service' }],
      items: (asker) => [{ jid: 'rooms.capulet.example', name: `Rooms for ${asker.local}` }],
      nodeInfo: ({ node, asker, to }) =>
        node === 'hall' ? [xml('feature', { var: `${asker.local} ${to.text}` })] : undefined,
      nodeItems: ({ node }) =>
        node === 'hall' ? [{ jid: 'capulet.example', node: 'corner' }] : undefined,
    },
  }),
})

function names(answer: { toString(): string }, attribute: string): string[] {
  return [...String(answer).matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(
    ([, value]) => value!,
  )
}

test('the host says what it is and can, each feature once (XEP-0030 §3.1)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  const query = (await romeo.asks('get', 'capulet.example', info())).getChild('query', INFO)!
  const identities = query.getChildren('identity').map(({ attrs }) => attrs.category)
  t.same(identities.sort(), ['pubsub', 'server'])
  const features = query.getChildren('feature').map(({ attrs }) => attrs.var)
  t.same(features, [INFO, ITEMS, 'urn:test:a', 'urn:test:b'])
})

test('items of the host (XEP-0030 §4.1)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  const answer = await romeo.asks('get', 'capulet.example', items())
  const [item] = answer.getChild('query', ITEMS)!.getChildren('item')
  t.match(item?.attrs, { jid: 'rooms.capulet.example', name: 'Rooms for romeo' })
})

test('nodes are told by whom they belong to, and repeated in the answer (XEP-0030 §3.2, §4.2)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  const hall = (await romeo.asks('get', 'capulet.example', info('hall'))).getChild('query', INFO)
  t.equal(hall?.attrs.node, 'hall')
  t.equal(hall?.getChild('feature')?.attrs.var, 'romeo capulet.example')
  const inside = await romeo.asks('get', 'capulet.example', items('hall'))
  t.equal(inside.getChild('query', ITEMS)?.attrs.node, 'hall')
  t.same(names(inside, 'node'), ['hall', 'corner'])
})

test('a node that nobody has is not found (XEP-0030 §7)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  for (const query of [info('cellar'), items('cellar')]) {
    const answer = await romeo.asks('get', 'capulet.example', query)
    t.ok(answer.getChild('error')?.getChild('item-not-found'))
  }
})

test('an account tells itself (XEP-0030 §3.1)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  for (const to of [undefined, 'romeo@capulet.example']) {
    const query = (await romeo.asks('get', to, info())).getChild('query', INFO)!
    t.match(query.getChild('identity')?.attrs, { category: 'account', type: 'registered' })
    t.ok(names(query, 'var').includes('urn:test:account'))
    t.notOk(names(query, 'var').includes('urn:test:a'), 'not what the host has')
  }
  const own = (await romeo.asks('get', undefined, items())).getChild('query', ITEMS)
  t.same(own?.getChildElements(), [])
})

test('to who does not see its presence an account is not there (XEP-0030 §8, SEC-22)', async (t) => {
  const verona = await world(t, { modules: ['disco', 'roster', rooms] })
  const { romeo, server } = verona
  const refused = async (to: string) => {
    const answers = [await romeo.asks('get', to, info()), await romeo.asks('get', to, items())]
    return answers.map((answer) => String(answer.getChild('error')))
  }
  const strange = await refused('juliet@capulet.example')
  t.match(strange[0], /<service-unavailable/)
  t.same(strange, await refused('nobody@capulet.example'), 'as if there were no such account')
  const host = server.hosts.get('capulet.example')!
  const [one, other] = [await host.accounts!.lookup('romeo'), await host.accounts!.lookup('juliet')]
  const rosters = host.modules.get('roster')!.offers.provides as {
    setMutual(one: unknown, other: unknown): Promise<void>
  }
  await rosters.setMutual(one, other)
  const answer = await romeo.asks('get', 'juliet@capulet.example', info())
  t.equal(answer.attrs.type, 'result', 'to who sees it, it is')
})

test('no attribute of a query is anything else than text (SEC-30)', async (t) => {
  const { romeo } = await world(t, { modules: ['disco', rooms] })
  for (const node of ['__proto__', 'constructor', 'toString']) {
    const answer = await romeo.asks('get', 'capulet.example', info(node))
    t.ok(answer.getChild('error')?.getChild('item-not-found'), node)
  }
})
