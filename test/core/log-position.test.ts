// Where a session stands in the log of its account.

import { test } from 'tap'
import { LogPosition } from '../../lib/core/log-position.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../world/world.js'

test('a session follows unless somebody says otherwise', (t) => {
  const position = new LogPosition()
  t.ok(position.follows)
  position.sent(5)
  t.equal(position.newest, 5)
  t.ok(position.inTurn(5))
  t.end()
})

test('what comes out of turn moves nothing, then or later, and is not sent again', (t) => {
  const position = new LogPosition()
  position.part()
  position.sent(5)
  t.equal(position.newest, 0)
  t.notOk(position.inTurn(5))
  position.follow()
  t.notOk(position.inTurn(5))
  t.ok(position.has(5))
  t.notOk(position.has(4))
  t.ok(position.inTurn(6))
  t.end()
})

test('what was read from the log is not written again when it arrives', async (t) => {
  const w = await world(t)
  const session = w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(w.juliet.jid))!
  const write = (id: number): void => {
    const stanza = Stanza.parse(`<message id='${id}'><body>${id}</body></message>`)
    const [from, to] = [Jid.parse(w.romeo.jid), session.jid]
    session.write(new Envelope({ stanza, from, to, origin: 'local', arrived: 0, logId: id }))
  }
  session.position.caughtUp(10)
  write(10)
  write(11)
  await w.juliet.receives("<message id='11'/>")
  await w.juliet.receivesNothing()
})

test('few are remembered that came out of turn (LIM-apart)', (t) => {
  const position = new LogPosition()
  position.part()
  for (let id = 1; id <= 5000; id++) position.sent(id)
  const known = Array.from({ length: 5000 }, (_, i) => i + 1).filter((id) => position.has(id))
  t.equal(known.length, 1000)
  t.equal(known[0], 4001, 'the latest')
  t.end()
})

test('of what a session had before it was made again more are remembered (LIM-before)', (t) => {
  const position = new LogPosition()
  for (let id = 1; id <= 9000; id++) position.hadBefore(id)
  const known = Array.from({ length: 9000 }, (_, i) => i + 1).filter((id) => position.has(id))
  t.equal(known.length, 5000)
  t.equal(known[0], 4001, 'the latest')
  t.end()
})

test('what was left out of the reading is written when it arrives, once', async (t) => {
  const position = new LogPosition()
  position.caughtUp(10)
  position.leftOut(10)
  t.notOk(position.has(10))
  t.ok(position.has(9))
  position.sent(10)
  t.ok(position.has(10))
  for (let id = 11; id <= 5000; id++) {
    position.caughtUp(id)
    position.leftOut(id)
  }
  const left = Array.from({ length: 5000 }, (_, i) => i + 1).filter((id) => !position.has(id))
  t.equal(left.length, 1000, 'LIM-apart')
})

test('what is older than where the reading began was not read', (t) => {
  const position = new LogPosition()
  // Behind from 11 on; 10 of another node was on its way.
  position.caughtUp(12, 11)
  t.notOk(position.has(10))
  t.notOk(position.has(11))
  t.ok(position.has(12))
  t.end()
})

test('what was read is known when the log is read again from later on', (t) => {
  const position = new LogPosition()
  position.caughtUp(10)
  position.caughtUp(20, 10)
  t.equal(position.read, 20)
  position.caughtUp(40, 30)
  t.same(
    [5, 15, 20, 25, 30, 35, 40, 45].filter((id) => position.has(id)),
    [5, 15, 20, 35, 40],
  )
  t.equal(position.read, 20, 'up to where nothing is missing')
  for (let id = 100; id < 1000; id += 10) position.caughtUp(id + 1, id)
  t.notOk(position.has(5), 'LIM-readings')
  t.ok(position.has(991))
  t.end()
})
