// Stream Limits Advertisement (XEP-0478).

import { test } from 'tap'
import { authenticatedLimits, unauthenticatedLimits } from '../../lib/net/xml-limits.js'
import { world } from '../world/world.js'

test('the limit that holds now is told, before login and after it (XEP-0478 §3)', async (t) => {
  const verona = await world(t, { modules: ['stream-limits'], people: ['romeo'], loggedIn: false })
  const stranger = verona.stranger()
  stranger.open()
  await stranger.settle()
  const told = () =>
    Number(
      stranger.inbox
        .shift()
        ?.getChild('limits', 'urn:xmpp:stream-limits:0')
        ?.getChildText('max-bytes'),
    )
  t.equal(told(), unauthenticatedLimits.bytes)
  stranger.sends("<login xmlns='urn:tercet:world'>romeo@capulet.example</login>")
  await stranger.settle()
  t.equal(told(), authenticatedLimits.bytes)
})

test('what is told is what holds (LIM-stanza-size)', async (t) => {
  const { romeo } = await world(t, { modules: ['stream-limits'], people: ['romeo'] })
  const message = (bytes: number) => {
    const frame = "<message to='romeo@capulet.example'><body></body></message>"
    return frame
      .replace('><', `>${'x'.repeat(bytes - frame.length)}<`)
      .replace(/>(x+)<body><\/body>/, '><body>$1</body>')
  }
  romeo.sends(message(authenticatedLimits.bytes - 1))
  await romeo.settle()
  t.notOk(romeo.closed)
  romeo.sends(message(authenticatedLimits.bytes + 1))
  await romeo.settle()
  t.ok(romeo.streamError?.getChild('policy-violation'))
})
