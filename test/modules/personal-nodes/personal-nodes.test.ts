// Nodes of an account's own (XEP-0223), whatever is in them.

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import personalNodes, { type NodeItem } from '../../../modules/personal-nodes/personal-nodes.js'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'
import { condition } from '../rooms/rooms-world.js'

const PUBSUB = 'http://jabber.org/protocol/pubsub'

/** Keeps the items of a node in memory. */
function notes() {
  const kept = new Map<string, NodeItem>()
  return defineModule({
    name: 'notes',
    summary: 'Notes',
    requires: [personalNodes],
    setup(host) {
      const { serve } = host.use(personalNodes)
      serve({
        name: 'urn:notes',
        items: () => [...kept.values()],
        publish(_, { id, payload }) {
          kept.set(id, { id, payload })
          return id
        },
        retract(_, id) {
          if (!kept.delete(id)) throw new StanzaError('item-not-found')
        },
      })
      return {}
    },
  })
}

function asks(client: Client, type: 'get' | 'set', inside: string) {
  return client.asks(type, undefined, `<pubsub xmlns='${PUBSUB}'>${inside}</pubsub>`)
}

test('items are published, fetched and taken back (XEP-0060 §6.5, §7.1, §7.2)', async (t) => {
  const { romeo } = await world(t, { modules: [notes()] })
  for (const id of ['a', 'b', 'c']) {
    const item = `<item id='${id}'><note xmlns='urn:notes'>${id}</note></item>`
    const answer = await asks(romeo, 'set', `<publish node='urn:notes'>${item}</publish>`)
    const published = answer.getChild('pubsub', PUBSUB)?.getChild('publish')
    t.equal(published?.getChild('item')?.attrs.id, id)
  }
  const ids = async (inside: string) => {
    const answer = await asks(romeo, 'get', inside)
    const found = answer.getChild('pubsub', PUBSUB)!.getChild('items')!.getChildren('item')
    return found.map(({ attrs }) => attrs.id)
  }
  t.same(await ids("<items node='urn:notes'/>"), ['a', 'b', 'c'])
  t.same(await ids("<items node='urn:notes' max_items='2'/>"), ['b', 'c'], '§6.5.7')
  t.same(await ids("<items node='urn:notes'><item id='b'/><item id='x'/></items>"), ['b'])
  await asks(romeo, 'set', "<retract node='urn:notes'><item id='b'/></retract>")
  t.same(await ids("<items node='urn:notes'/>"), ['a', 'c'])
})

test('what nobody serves is refused, and so is what is not understood (XEP-0060 §6.5, §7)', async (t) => {
  const { romeo } = await world(t, { modules: [notes()] })
  const refused = async (type: 'get' | 'set', inside: string) =>
    condition(await asks(romeo, type, inside))
  const item = "<item id='a'><note xmlns='urn:notes'/></item>"
  t.equal(
    await refused('set', `<publish node='urn:other'>${item}</publish>`),
    'service-unavailable',
  )
  t.equal(await refused('get', "<items node='urn:other'/>"), 'service-unavailable')
  t.equal(await refused('get', '<items/>'), 'service-unavailable')
  t.equal(await refused('get', '<subscriptions/>'), 'feature-not-implemented')
  t.equal(await refused('set', "<create node='urn:notes'/>"), 'feature-not-implemented')
  t.equal(await refused('set', ''), 'feature-not-implemented')
  t.equal(await refused('set', "<publish node='urn:notes'/>"), 'bad-request')
  t.equal(await refused('set', `<publish node='urn:notes'>${item}${item}</publish>`), 'not-allowed')
  t.equal(await refused('set', "<publish node='urn:notes'><item id='a'/></publish>"), 'bad-request')
  t.equal(await refused('set', "<retract node='urn:notes'><item/></retract>"), 'bad-request')
  t.equal(
    await refused('set', "<retract node='urn:notes'><item id='x'/></retract>"),
    'item-not-found',
  )
})
