// Searching while the index is far behind the log: nothing between may be passed over (XEP-0431 §2.2).

import { type Test, test } from 'tap'
import { KEPT, LoggedMessage, OUTGOING } from '../../../lib/storage/logged-message.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { DOMAIN, type World, world } from '../../world/world.js'
import { type Answer, asks } from '../archive/archive-world.js'

/** What Romeo said, in order; the index has the first ones. */
async function scene(t: Test, first: readonly string[], rest: readonly string[]): Promise<World> {
  const w = await world(t, { modules: ['search'] })
  const owner = await w.server.hosts.get(DOMAIN)!.numberOf(Jid.parse(w.romeo.account))
  const ends = { from: Jid.parse(w.romeo.jid), to: Jid.parse(w.juliet.account) }
  const said = (word: string): Promise<void> => {
    const entry = w.server.journal.entry()
    const text = `<message type='chat'><body>${word}</body></message>`
    entry.message = new LoggedMessage({ ...ends, text, label: 0, key: '', author: owner })
    entry.message.sender = { owner, flags: KEPT | OUTGOING }
    return w.server.journal.commit(entry)
  }
  await Promise.all(first.map(said))
  w.clock.advance(1000)
  await w.settle()
  await Promise.all(rest.map(said))
  return w
}

const many = Array.from({ length: 2500 }, () => 'thorn')

function finds(w: World, word: string, set: string): Promise<Answer> {
  return asks(w.romeo, { fields: { '{urn:xmpp:fulltext:0}fulltext': word }, set })
}

test('forwards a page is not complete while something was not looked at (LIM-search-tail)', async (t) => {
  const w = await scene(t, ['rose 1'], [...many, 'rose 2'])
  const one = await finds(w, 'rose', '<max>5</max>')
  t.same([one.bodies, one.complete], [['rose 1'], false])
  const two = await finds(w, 'rose', `<max>5</max><after>${one.last}</after>`)
  t.equal(two.error, 'resource-constraint', 'nothing was found from which one could go on')
  t.equal(two.iq.getChild('error')!.attrs.type, 'wait')
})

test('backwards the middle is not left out (LIM-search-tail)', async (t) => {
  const w = await scene(t, ['rose 1'], ['rose 2', ...many, 'rose 3'])
  const one = await finds(w, 'rose', '<max>5</max><before/>')
  t.same([one.bodies, one.complete], [['rose 3'], false])
  const two = await finds(w, 'rose', `<max>5</max><before>${one.first}</before>`)
  t.equal(two.error, 'resource-constraint')
})

test('when the index has come there the search goes on where it was', async (t) => {
  const w = await scene(t, ['rose 1'], [...many, 'rose 2'])
  const one = await finds(w, 'rose', '<max>5</max>')
  for (let run = 0; run < 100; run++) {
    w.clock.advance(1000)
    await w.settle()
  }
  const two = await finds(w, 'rose', `<max>5</max><after>${one.last}</after>`)
  t.same([two.bodies, two.complete], [['rose 2'], true])
})
