// Pages of which little is found in much: one resource of a long conversation (XEP-0313 §4.1.1).

import { test } from 'tap'
import { INCOMING, KEPT, LoggedMessage } from '../../../lib/storage/logged-message.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { DOMAIN, world } from '../../world/world.js'
import { asks, ROMEO } from './archive-world.js'

test('a page that is not complete has an end from which one goes on (XEP-0059 §2.2, XEP-0313 §4.3.2)', async (t) => {
  const w = await world(t, { modules: ['archive'], people: ['romeo', 'juliet'] })
  const to = Jid.parse(w.juliet.account)
  const owner = await w.server.hosts.get(DOMAIN)!.numberOf(to)
  const said = (resource: string) => {
    const entry = w.server.journal.entry()
    const from = Jid.parse(`${ROMEO}/${resource}`)
    const text = `<message type='chat'><body>${resource}</body></message>`
    entry.message = new LoggedMessage({ from, to, text, label: 0, key: '', author: 0 })
    entry.message.recipient = { owner, flags: KEPT | INCOMING }
    return w.server.journal.commit(entry)
  }
  const others = Array.from({ length: 3000 }, () => 'laptop')
  await said('phone')
  for (let batch = 0; batch < 7; batch++) await Promise.all(others.map(said))
  await said('phone')
  for (const backwards of [false, true]) {
    const fields = { with: `${ROMEO}/phone` }
    const place = (id: string) =>
      backwards ? `<before>${id}</before>` : id && `<after>${id}</after>`
    const one = await asks(w.juliet, { fields, set: `<max>1</max>${place('')}` })
    t.same([one.bodies, one.complete], [['phone'], false])
    const anchor = backwards ? one.first : one.last
    const two = await asks(w.juliet, { fields, set: `<max>10</max>${place(anchor!)}` })
    t.same(two.bodies, ['phone'])
    t.ok(two.last && two.last !== one.last)
  }
})
