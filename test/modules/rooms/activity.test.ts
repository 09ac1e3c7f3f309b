// How much is said in a room (XEP-0502).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { configures, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const HOUR = 3_600_000
const PERSISTENT = { persistentroom: '1' }

async function rate(client: Client): Promise<string | undefined> {
  const info = await client.asks(
    'get',
    ROOM,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const form = info.getChild('query')!.getChild('x', 'jabber:x:data')!
  const name = '{urn:xmpp:muc-activity}message-activity'
  const field = form.getChildren('field').find(({ attrs }) => attrs.var === name)
  return field?.getChildText('value') ?? undefined
}

async function talks(w: World, times: number, more = ''): Promise<void> {
  for (let i = 0; i < times; i++) says(w.romeo, `word ${i}`, { more })
  await w.settle()
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`a room that is for all says how many messages an hour it has (XEP-0502 §3.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: PERSISTENT })
    await talks(w, 6)
    t.equal(await rate(juliet), undefined, 'too little is known: no placeholder')
    w.clock.advance(2 * HOUR)
    t.equal(await rate(juliet), '3.00')
    w.clock.advance(HOUR)
    t.equal(await rate(juliet), '2.00')
    w.clock.advance(9 * HOUR)
    await talks(w, 18)
    t.equal(await rate(juliet), '2.00')
    w.clock.advance(20 * HOUR)
    t.equal(await rate(juliet), '0.75', 'of the last day alone (§4)')
    w.clock.advance(24 * HOUR)
    t.equal(await rate(juliet), '0.00')
  })

  test(`what is not a message of its own does not count (XEP-0502 §4, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: PERSISTENT })
    await talks(w, 2)
    await talks(w, 2, "<replace id='a' xmlns='urn:xmpp:message-correct:0'/>")
    await talks(w, 2, "<reactions id='a' xmlns='urn:xmpp:reactions:0'/>")
    romeo.sends(`<message type='groupchat' to='${ROOM}'><subject>fruit</subject></message>`)
    await w.settle()
    // In SQLite two nodes would give two messages of one moment the same number.
    if (nodes === 1)
      romeo.sends(`<message type='chat' to='${ROOM}/Juliet'><body>psst</body></message>`)
    await w.settle()
    w.clock.advance(HOUR)
    t.equal(await rate(juliet), '2.00')
  })

  test(`a room that is not for all says nothing of it (XEP-0502 §3.1, §9, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo } = w
    await opened(w, { Romeo: romeo }, { fields: PERSISTENT })
    await talks(w, 2)
    w.clock.advance(2 * HOUR)
    t.equal(await rate(romeo), '1.00')
    for (const [field, value] of [
      ...[
        ['persistentroom', '0'],
        ['membersonly', '1'],
        ['publicroom', '0'],
      ],
    ] as [string, string][]) {
      const other = value === '1' ? '0' : '1'
      await configures(romeo, { [field]: value })
      t.equal(await rate(romeo), undefined, field)
      await configures(romeo, { [field]: other })
    }
    await configures(romeo, { passwordprotectedroom: '1', roomsecret: 'x' })
    t.equal(await rate(romeo), undefined, 'password')
  })
}

test('after the server began again it is read from the log (XEP-0502 §3.1)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  await opened(w, { Romeo: w.romeo }, { fields: PERSISTENT })
  await talks(w, 12)
  await talks(w, 3, "<replace id='a' xmlns='urn:xmpp:message-correct:0'/>")
  w.clock.advance(4 * HOUR)
  await w.restart()
  const back = await w.device('romeo', 'garden')
  await rate(back)
  await w.settle()
  t.equal(await rate(back), '3.00')
})
