// Software Version (XEP-0092).

import { test } from 'tap'
import { version } from '../../lib/ops/version.js'
import { world } from '../world/world.js'

const VERSION = "<query xmlns='jabber:iq:version'/>"

test('the host says which software it is (XEP-0092 §3)', async (t) => {
  const { romeo } = await world(t, { modules: ['version'] })
  const query = (await romeo.asks('get', 'capulet.example', VERSION)).getChild('query')
  t.equal(query?.getChildText('name'), 'Tercet')
  t.equal(query?.getChildText('version'), version)
  t.notOk(query?.getChild('os'), 'XEP-0092 §5: what it runs on is nobody else’s business')
})

test('an operator may keep the version to themselves (XEP-0092 §5)', async (t) => {
  const options = { version: { show_version: false } }
  const { romeo } = await world(t, { modules: ['version'], options })
  const answer = await romeo.asks('get', 'capulet.example', VERSION)
  t.notMatch(String(answer), version)
  t.equal(answer.getChild('query')?.getChildText('name'), 'Tercet')
})
