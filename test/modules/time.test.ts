// Entity Time (XEP-0202).

import { test } from 'tap'
import { world } from '../world/world.js'

test('the host tells the time, in UTC (XEP-0202 §3)', async (t) => {
  const { romeo, clock } = await world(t, { modules: ['time'] })
  clock.advance(12_345)
  const answer = await romeo.asks('get', 'capulet.example', "<time xmlns='urn:xmpp:time'/>")
  const time = answer.getChild('time', 'urn:xmpp:time')
  t.equal(time?.getChildText('tzo'), '+00:00')
  t.equal(time?.getChildText('utc'), '2026-01-01T00:00:12.345Z', 'as XEP-0082 writes it')
})

test('it is for asking only', async (t) => {
  const { romeo } = await world(t, { modules: ['time'] })
  const answer = await romeo.asks('set', 'capulet.example', "<time xmlns='urn:xmpp:time'/>")
  t.ok(answer.getChild('error')?.getChild('service-unavailable'), 'RFC 6120 §8.4')
})
