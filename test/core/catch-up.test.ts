// What a session missed, from the log: nothing is written twice, and what it was not given is not lost.

import { type Test, test } from 'tap'
import { CatchUp, envelopeOf } from '../../lib/core/catch-up.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { freshPostgres } from '../world/postgres.js'
import { DOMAIN, world } from '../world/world.js'

/** Juliet is bound and not available: two messages of Romeo's are in her log alone. */
async function missed(t: Test) {
  const w = await world(t, { modules: ['archive', 'presence'] })
  for (const id of ['one', 'two'])
    w.romeo.sends(`<message to='juliet@${DOMAIN}' id='${id}'><body>${id}</body></message>`)
  await w.settle()
  const host = w.server.hosts.get(DOMAIN)!
  const session = host.sessions.find(Jid.parse(w.juliet.jid))!
  const { messages } = await host.messages.page({ owner: session.number, limit: 10 })
  const [one, two] = messages
  return { juliet: w.juliet, session, one: one!, two: two! }
}

test('what was read for a session is not written again when it arrives', async (t) => {
  const { session, juliet, one, two } = await missed(t)
  session.behind = new CatchUp(session, 0, { flags: 0, room: () => true })
  await session.behind.run()
  t.notOk(session.behind)
  for (const logged of [one, two]) t.ok(session.write(envelopeOf(logged)))
  await juliet.receives("<message id='one'/>")
  await juliet.receives("<message id='two'/>")
  await juliet.receivesNothing()
})

test('what was left out of the reading is written when it arrives, once', async (t) => {
  const { session, juliet, one, two } = await missed(t)
  session.behind = new CatchUp(session, 0, {
    flags: 0,
    room: () => true,
    amend: (envelope, { id }) => (id === two.id ? envelope : undefined),
  })
  await session.behind.run()
  for (const logged of [one, one, two]) session.write(envelopeOf(logged))
  await juliet.receives("<message id='two'/>")
  await juliet.receives("<message id='one'/>")
  await juliet.receivesNothing()
})

test('what was read waits no more, what comes after it does, while it goes on', async (t) => {
  const { session, juliet, one, two } = await missed(t)
  let room = true
  const behind = new CatchUp(session, 0, {
    flags: 0,
    room: () => room,
    amend() {
      room = false
      return undefined
    },
  })
  session.behind = behind
  behind.missed(two.id + 1)
  await behind.run()
  t.equal(session.behind, behind, 'it is still behind')
  t.ok(behind.passed(two.id))
  t.notOk(behind.passed(two.id + 1))
  session.write(envelopeOf(one))
  session.write(envelopeOf({ ...two, id: two.id + 1 }))
  await juliet.receives("<message id='one'/>")
  await juliet.receivesNothing()
  session.behind = undefined
})

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'on this node' : 'on another node'
  test(`what was for a device that is there is for no other one (RFC 6121 §8.5.3.1, ${where})`, async (t) => {
    const database = nodes === 2 ? await freshPostgres() : 'sqlite:memory'
    const modules = ['archive', 'presence']
    const w = await world(t, { modules, nodes, database, loggedIn: false })
    const romeo = await w.device('romeo')
    const phone = await w.device('juliet', 'phone')
    const laptop = await w.device('juliet', 'laptop', { node: nodes - 1 })
    for (const to of [phone.jid, laptop.jid, `juliet@${DOMAIN}/gone`])
      romeo.sends(`<message to='${to}' type='chat' id='${to}'><body>a</body></message>`)
    await w.settle()
    await laptop.clears()
    const host = w.servers[nodes - 1]!.hosts.get(DOMAIN)!
    const session = host.sessions.find(Jid.parse(laptop.jid))!
    session.behind = new CatchUp(session, 0, { flags: 0, room: () => true })
    await session.behind.run()
    await laptop.receives(`<message to='${laptop.jid}'/>`)
    await laptop.receives(`<message to='juliet@${DOMAIN}/gone'/>`)
    await laptop.receivesNothing()
  })
}

test('what could not be read is read again a second later, and is said to be wrong once', async (t) => {
  const w = await world(t, { modules: ['archive', 'presence'], mayFail: true })
  w.romeo.sends(`<message to='juliet@${DOMAIN}' id='one'><body>one</body></message>`)
  await w.settle()
  const host = w.server.hosts.get(DOMAIN)!
  const session = host.sessions.find(Jid.parse(w.juliet.jid))!
  const { messages } = host
  const { page } = messages
  messages.page = () => Promise.reject(new Error('the database is away'))
  session.behind = new CatchUp(session, 0, { flags: 0, room: () => true })
  await session.behind.run()
  for (let second = 0; second < 3; second++) {
    w.clock.advance(1000)
    await w.settle()
  }
  await w.juliet.receivesNothing()
  t.equal(w.log.filter((line) => line.includes('the database is away')).length, 1)
  messages.page = page
  w.clock.advance(1000)
  await w.settle()
  await w.juliet.receives("<message id='one'/>")
  t.notOk(session.behind)
})
