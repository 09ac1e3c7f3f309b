// Delays that somebody claims in our name (SEC-54).

import { test } from 'tap'
import { NS_DELAY } from '../../../lib/xmpp/delay.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../../world/world.js'
import { asks, JULIET, ROMEO } from './archive-world.js'

const STAMP = '2002-09-10T23:08:25Z'
const delay = (from: string) => `<delay xmlns='${NS_DELAY}' from='${from}' stamp='${STAMP}'/>`
const ours = [
  DOMAIN,
  'CAPULET.EXAMPLE',
  'capulet。example',
  ` ${DOMAIN} `,
  `${DOMAIN}/x`,
  'verona.example',
]
const disguises = [...ours, JULIET, `${JULIET}/phone`, 'JULIET@capulet.example']

test('SEC-54: nobody says in our name that a message is late (XEP-0203 §5)', async (t) => {
  const w = await world(t, { modules: ['archive'], hosts: ['verona.example'] })
  const honest = `${delay(`${ROMEO}/phone`)}${delay('room@rooms.example')}<delay xmlns='${NS_DELAY}' stamp='${STAMP}'/>`
  for (const from of disguises) {
    const forged = delay(from) + delay(from)
    w.romeo.sends(
      `<message to='${w.juliet.jid}' type='chat' id='1'>${forged}<body>one</body>${honest}${forged}</message>`,
    )
    const message = await w.juliet.receives("<message id='1'><body>one</body></message>")
    const { results } = await asks(w.juliet, { set: '<before/><max>1</max>' })
    const expected = [`${ROMEO}/phone`, 'room@rooms.example', undefined]
    for (const one of [message, results[0]!.message]) {
      const left = one.getChildren('delay', NS_DELAY).map(({ attrs }) => attrs.from)
      t.same(left, expected, from)
    }
  }
})

test('SEC-54: nor does it come from elsewhere, of whatever type', async (t) => {
  const { server, juliet } = await world(t, { modules: ['archive'] })
  const from = Jid.parse('room@rooms.example/tybalt')
  for (const type of ['chat', 'normal', 'headline', 'groupchat', 'error']) {
    const stanza = Stanza.parse(
      `<message xmlns='jabber:client' type='${type}' id='1'>${delay(DOMAIN)}${delay(JULIET)}<body>one</body>${delay('room@rooms.example')}</message>`,
    )
    server.router.send(stanza, { from, to: Jid.parse(juliet.jid) })
    const message = await juliet.receives("<message id='1'/>")
    const left = message.getChildren('delay', NS_DELAY).map(({ attrs }) => attrs.from)
    t.same(left, ['room@rooms.example'], type)
  }
})

test('what an account kept back itself it may say (XEP-0203 §2)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  const late = delay(w.romeo.jid)
  w.romeo.sends(`<message to='${ROMEO}' type='chat' id='1'><body>note</body>${late}</message>`)
  await w.settle()
  const { results } = await asks(w.romeo)
  t.ok(results[0]!.message.getChild('delay', NS_DELAY))
})
