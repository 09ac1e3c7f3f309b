// What strangers can fill is bounded.

import { type Test, test } from 'tap'
import type { Host } from '../../../lib/core/host.js'
import type { Passage } from '../../../lib/core/pipeline.js'
import type { Session } from '../../../lib/core/session.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { Backlog } from '../../../modules/offline-messages/backlog.js'
import { Owed } from '../../../modules/offline-messages/owed.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const stanza = Stanza.parse("<message type='chat'><body>hist!</body></message>")

async function scene(t: Test): Promise<{ w: World; host: Host; session: Session }> {
  const w = await world(t, { modules: ['offline-messages'] })
  const host = w.server.hosts.get(DOMAIN)!
  return { w, host, session: host.sessions.find(Jid.parse(w.juliet.jid))! }
}

test('what waits beside the log for one session is bounded; the rest goes at once (LIM-backlog-held)', async (t) => {
  const { w, session } = await scene(t)
  const backlog = new Backlog(session, Number.MAX_SAFE_INTEGER, { flags: 0, room: () => false })
  session.behind = backlog
  const [from, to] = [Jid.parse(w.romeo.jid), session.jid]
  for (let i = 0; i < 600; i++)
    session.write(new Envelope({ stanza, from, to, origin: 'local', arrived: 0 }))
  await w.settle()
  t.equal(w.juliet.inbox.length, 100)
  backlog.done()
  await w.settle()
  t.equal(w.juliet.inbox.length, 600, 'and all of it arrives')
})

test('accounts whose owed messages were counted are forgotten, the oldest first (LIM-owed-known)', async (t) => {
  const { host } = await scene(t)
  let number = 0
  const many = Object.create(host, { numberOf: { value: () => ++number } }) as Host
  const owed = new Owed(many, 10)
  const passage = { keep() {}, after() {}, account: Jid.parse(`x@${DOMAIN}`) } as unknown as Passage
  for (let i = 0; i < 10_050; i++) {
    const kept = owed.keep(stanza, passage)
    if (i % 200 === 0) await kept
    else if (kept instanceof Promise) kept.catch((error) => t.error(error))
  }
  await owed.keep(stanza, passage)
  t.ok(owed.size <= 10_000)
})
