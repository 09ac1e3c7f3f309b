// Opening a port: alone, or together with other processes of ours where Node and the system can.

import { createServer } from 'node:net'
import { test } from 'tap'
import { listenOn, mayShare, portOf, stopListening } from '../../lib/net/listener.js'
import { ConfigError } from '../../lib/xmpp/errors.js'

const nothing = (): void => {}

test('a port that is shared is opened twice where the system can; one that is not never is', async (t) => {
  const [first, second, third] = [createServer(), createServer(), createServer()]
  const place = { address: '127.0.0.1', shared: true }
  await listenOn(first, { ...place, port: 0 }, nothing)
  const port = portOf(first)
  t.teardown(() => Promise.all([first, second, third].map(stopListening)))
  const again = listenOn(second, { ...place, port }, nothing)
  if (mayShare) await t.resolves(again)
  else await t.rejects(again, ConfigError)
  await t.rejects(listenOn(third, { address: '127.0.0.1', port }, nothing), ConfigError)
})
