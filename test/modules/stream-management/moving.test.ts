// Sessions of several nodes in one database (XEP-0198 §5). Between real nodes: test/cluster/resumption.test.ts.

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { DOMAIN } from '../../world/world.js'
import { bodies, chat, enable, handled, managed, resumes, SM } from './sm-world.js'

const ROMEO = `romeo@${DOMAIN}`
const DAY = 24 * 3600_000

test('a session that lives on another node is never cleared away, however old it is', async (t) => {
  const modules = ['stream-management', 'presence', 'archive']
  const w = await managed(t, { modules, database: 'sqlite', nodes: 2, loggedIn: false })
  const phone = await w.device('romeo', 'phone', { node: 1 })
  const id = await enable(phone)
  phone.sends(chat(ROMEO, 'to himself'))
  t.equal(await handled(phone), 1)
  for (let day = 0; day < 15; day++) {
    w.clock.advance(DAY)
    await w.settle()
  }
  const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
  await again.receives(`<resumed ${SM} h='1' previd='${id}'/>`)
})

test('what is in no log goes along, up to a bound (LIM-carried)', async (t) => {
  const w = await managed(t, { database: 'sqlite', nodes: 2, loggedIn: false })
  const phone = await w.device('romeo', 'phone', { node: 1 })
  const id = await enable(phone)
  const [session] = w.servers[1]!.hosts.get(DOMAIN)!.sessions.of(Jid.parse(ROMEO))
  const juliet = await w.device('juliet', 'balcony', { node: 0 })
  const headline = (text: string) =>
    `<message to='${session!.jid}' type='headline'><body>${text}</body></message>`
  // An id in the log would make more of a message: these are in no log.
  const long = 'x'.repeat(100_000)
  for (let at = 0; at < 14; at++) juliet.sends(headline(`${at} ${long}`))
  await w.settle()
  await phone.breaks()
  const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
  await again.finds(`<resumed ${SM}/>`)
  const got = bodies(again).filter(Boolean)
  t.same(
    got.map((body) => Number.parseInt(body, 10)),
    Array.from(got, (_, at) => at),
  )
  t.ok(got.length >= 5 && got.length < 14, String(got.length))
})
