// Who reads the archive by itself gets what no archive has; who only asks about it gets everything
// (XEP-0313 §4, XEP-0160 §3).

import { type Test, test } from 'tap'
import type { Client } from '../../world/client.js'
import { DOMAIN, world } from '../../world/world.js'

const NS = 'urn:xmpp:mam:2'

async function afterAsking(t: Test, ask: (phone: Client) => Promise<unknown>): Promise<number> {
  const w = await world(t, { modules: ['offline-messages', 'archive'], loggedIn: false })
  const orchard = await w.device('romeo', 'orchard')
  const early = await w.device('juliet', 'phone')
  await ask(early)
  await early.leaves()
  orchard.sends(`<message to='juliet@${DOMAIN}' type='chat' id='1'><body>hist</body></message>`)
  await w.settle()
  const phone = await w.device('juliet', 'phone')
  await phone.comesOnline()
  return phone.inbox.filter((element) => element.is('message')).length
}

test('who asks for the form of a query has not read the archive (XEP-0313 §4.1.5)', async (t) => {
  const got = await afterAsking(t, (phone) =>
    phone.asks('get', undefined, `<query xmlns='${NS}'/>`),
  )
  t.equal(got, 1)
})

test('who asks where it begins and ends has not read the archive (XEP-0313 §5)', async (t) => {
  const got = await afterAsking(t, (phone) =>
    phone.asks('get', undefined, `<metadata xmlns='${NS}'/>`),
  )
  t.equal(got, 1)
})

test('whose query was refused has not read the archive (XEP-0313 §4.3.2)', async (t) => {
  const after = "<set xmlns='http://jabber.org/protocol/rsm'><after>nowhere</after></set>"
  const got = await afterAsking(t, async (phone) => {
    phone.sends(`<iq type='set' id='q'><query xmlns='${NS}'>${after}</query></iq>`)
    await phone.receives("<iq type='error' id='q'/>")
  })
  t.equal(got, 1)
})

test('who has read it gets what it keeps from there (XEP-0313 §4)', async (t) => {
  const got = await afterAsking(t, (phone) =>
    phone.asks('set', undefined, `<query xmlns='${NS}'/>`),
  )
  t.equal(got, 0)
})
