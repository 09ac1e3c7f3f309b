// Session establishment for old clients (RFC 3921 §3; dropped by RFC 6121).

import { test } from 'tap'
import { world } from '../world/world.js'

const SESSION = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"

test('who still asks is told yes (RFC 3921 §3)', async (t) => {
  const { romeo } = await world(t, { modules: ['legacy-session'] })
  for (const to of [undefined, 'capulet.example']) {
    const answer = await romeo.asks('set', to, SESSION)
    t.equal(answer.attrs.type, 'result')
    t.same(answer.children, [])
  }
})

test('it is not offered, so that nobody new asks (RFC 6121 §1.4)', async (t) => {
  const { romeo } = await world(t, { modules: ['legacy-session'] })
  t.notMatch(romeo.transcript.join(''), 'xmpp-session')
})

test('nobody has a session with somebody else', async (t) => {
  const { romeo } = await world(t, { modules: ['legacy-session'] })
  const answer = await romeo.asks('set', 'juliet@capulet.example', SESSION)
  t.ok(answer.getChild('error')?.getChild('service-unavailable'))
})
