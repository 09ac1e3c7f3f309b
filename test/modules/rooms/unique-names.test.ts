// Names for rooms that no other has (XEP-0307).

import { test } from 'tap'
import { condition, enters, roomsWorld, SERVICE } from './rooms-world.js'

const NS = 'http://jabber.org/protocol/muc#unique'

for (const nodes of [1, 2] as const) {
  test(`the service gives out names for new rooms (XEP-0307 §2, ${nodes} nodes)`, async (t) => {
    const { romeo, juliet } = await roomsWorld(t, { nodes, spread: nodes === 2 })
    const names = new Set<string>()
    for (const client of [romeo, juliet, romeo, juliet]) {
      const answer = await client.asks('get', SERVICE, `<unique xmlns='${NS}'/>`)
      names.add(answer.getChild('unique', NS)!.getText())
    }
    t.equal(names.size, 4)
    const room = `${[...names][0]}@${SERVICE}`
    await enters(juliet, 'Juliet', { room })
    t.ok(await juliet.finds(`<presence from='${room}/Juliet'/>`), 'it is a name for a room')
    const info = await romeo.asks(
      'get',
      SERVICE,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
    t.ok(features.includes(NS))
    t.equal(
      condition(await romeo.asks('set', SERVICE, `<unique xmlns='${NS}'/>`)),
      'service-unavailable',
    )
  })
}
