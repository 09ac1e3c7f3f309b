// Sessions of several nodes in one database (XEP-0198 §5). Between real nodes: test/cluster/resumption.test.ts.

import { test, type Test } from 'tap'
import type { Session } from '../../../lib/core/session.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { ManagedSession } from '../../../modules/stream-management/managed-session.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import {
  bodies,
  chat,
  connects,
  enable,
  fillsDisk,
  handled,
  managed,
  refusals,
  refusesMessages,
  resumes,
  SM,
  waits,
} from './sm-world.js'

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

test('let go and resumed where it was, before who asked has heard of it: asked for anew (XEP-0198 §5)', async (t) => {
  const { w, id } = await twoNodes(t)
  const here = await connects(w, 'romeo', { node: 1 })
  onceLetGo(w, async () => {
    here.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    while (here.inbox.length === 0) await new Promise(setImmediate)
  })
  const there = await resumes(w, 'romeo', { id, h: 0, node: 0 })
  await here.finds(`<resumed ${SM}/>`)
  await there.finds(`<resumed ${SM}/>`)
  t.ok(here.streamError?.getChild('conflict'), 'the last one has it')
  t.equal(sessionOn(w, 1), undefined)
  t.ok(sessionOn(w, 0)?.stream)
})

test('what changes while it is handed over takes nothing away from it (XEP-0198 §5)', async (t) => {
  const { w, id } = await twoNodes(t)
  const juliet = await w.device('juliet', 'balcony', { node: 0 })
  const headline = `<message to='${ROMEO}/phone' type='headline'><body>no log has it</body></message>`
  juliet.sends(headline)
  await w.settle()
  const session = sessionOn(w, 1)!
  const { rows } = session.keeper as ManagedSession
  const handOver = rows.handOver.bind(rows)
  rows.handOver = (shown) => {
    const written = handOver(shown)
    session.changed()
    return written
  }
  const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
  t.same(bodies(again).filter(Boolean), ['no log has it'])
})

test('no count is left to be written when it is let go (XEP-0198 §5)', async (t) => {
  const { w, id } = await twoNodes(t)
  const { journal } = w.servers[1]!
  const session = sessionOn(w, 1)!
  const keeper = session.keeper as ManagedSession
  const { rows } = keeper
  const handOver = rows.handOver.bind(rows)
  const rides: string[] = []
  const ride = journal.ride.bind(journal)
  journal.ride = (table, row) => {
    rides.push(table)
    ride(table, row)
  }
  rows.handOver = async (shown) => {
    await handOver(shown)
    keeper.look(w.clock.now())
    t.notOk(rides.includes('stream_counts'))
    journal.ride('stream_counts', keeper.counts(7))
  }
  let counted = 0
  onceLetGo(w, async () => {
    const row = await w.servers[0]!.database.reader('stream_counts').where({ handled: 7 }).first()
    counted = row?.handled
  })
  const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
  await again.finds(`<resumed ${SM}/>`)
  t.equal(counted, 7, 'what rode along is on disk before anybody else has it')
})

test('what is refused while its session is handed over is counted, and is not sent again (XEP-0198 §5)', async (t) => {
  const { w, phone, id } = await twoNodes(t)
  const again = await connects(w, 'romeo', { node: 0 })
  const refuse = refusesMessages(w.servers[1]!)
  phone.sends(chat(ROMEO, 'one'))
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  while (!phone.closed) await new Promise(setImmediate)
  refuse()
  await again.finds(`<resumed ${SM} h='1'/>`)
  t.same(refusals(again), ['one'])
})

test('what was refused while nothing could be counted either is counted with its row (XEP-0198 §5)', async (t) => {
  const { w, phone, id } = await twoNodes(t)
  const freed = fillsDisk(w.servers[1]!)
  phone.sends(chat(ROMEO, 'one') + chat(ROMEO, 'two'))
  await w.settle()
  await phone.breaks()
  freed()
  const again = await resumes(w, 'romeo', { id, h: 1, node: 0 })
  await again.finds(`<resumed ${SM} h='2'/>`)
  t.same(refusals(again), ['two'], 'one of them it has')
  await waits(w, 3)
  again.sends(chat(ROMEO, 'three'))
  t.equal(await handled(again), 3)
})

test('a refusal that waits for what is before it comes before the count is told once more (XEP-0198 §4)', async (t) => {
  const { w, phone, id } = await twoNodes(t)
  const juliet = await w.device('juliet', 'balcony', { node: 0 })
  juliet.sends(chat(`${ROMEO}/phone`, 'in the log'))
  await w.settle()
  const freed = fillsDisk(w.servers[1]!)
  phone.sends(chat(ROMEO, 'one'))
  await w.settle()
  await phone.breaks()
  freed()
  const again = await connects(w, 'romeo', { node: 0 })
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  while (again.inbox.length === 0) await new Promise(setImmediate)
  again.sends(`<r ${SM}/>`)
  await w.settle()
  await again.receives(`<resumed ${SM} h='1'/>`)
  await again.receives('<message><body>in the log</body></message>')
  await again.receives("<message type='error' id='one'/>")
  await again.finds(`<a ${SM} h='1'/>`)
})

for (const verb of ['disable', 'remove']) {
  test(`an account that ends while its session moves takes it along: user ${verb}`, async (t) => {
    const { w, id } = await twoNodes(t)
    const { directory } = w.servers[0]!
    const lookup = directory.lookup.bind(directory)
    let ended = false
    // Claimed, and in no list yet.
    directory.lookup = async (account) => {
      if (!ended && !sessionOn(w, 1)) {
        ended = true
        await w.server.run(DOMAIN, `user ${verb}`, { jids: ROMEO })
      }
      return lookup(account)
    }
    const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    t.ok(ended)
    await again.finds(`<failed ${SM}/>`)
    t.equal(sessionOn(w, 0), undefined)
    t.equal(sessionOn(w, 1), undefined)
  })
}

test('an entry of the directory that could not be removed does not keep its session', async (t) => {
  const { w, id } = await twoNodes(t)
  const { directory } = w.servers[1]!
  Object.assign(directory, { remove: () => undefined })
  for (const node of [0, 1, 0]) {
    const again = await resumes(w, 'romeo', { id, h: 0, node })
    await again.finds(`<resumed ${SM}/>`)
  }
  const places = await directory.lookup(ROMEO)
  t.same(
    places.map(({ node }) => node),
    ['node0'],
  )
})

async function twoNodes(t: Test): Promise<{ w: World; phone: Client; id: string }> {
  const w = await managed(t, { database: 'sqlite', nodes: 2, loggedIn: false })
  const phone = await w.device('romeo', 'phone', { node: 1 })
  const id = await enable(phone)
  await phone.clears()
  return { w, phone, id }
}

function sessionOn(w: World, node: number): Session | undefined {
  return w.servers[node]!.hosts.get(DOMAIN)!.sessions.find(Jid.parse(`${ROMEO}/phone`))
}

/** Before the first node hears that the second one has let it go, once. */
function onceLetGo(w: World, run: () => Promise<void>): void {
  const { talk } = w.servers[0]!
  const ask = talk.ask.bind(talk)
  let done = false
  talk.ask = async (...question) => {
    const answer = await ask(...question)
    if (!done && question[1].startsWith('sm release')) {
      done = true
      await run()
    }
    return answer
  }
}
