// What became of a message: derived from the log here, from receipts and markers elsewhere.

import { type Test, test } from 'tap'
import { KEPT, LoggedMessage, OUTGOING } from '../../../lib/storage/logged-message.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import { hash53 } from '../../../lib/xmpp/hash53.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const JULIET = `juliet@${DOMAIN}`
const ROMEO = `romeo@${DOMAIN}`
const BENVOLIO = 'benvolio@montague.example'

async function scene(t: Test, nodes: 1 | 2 = 1): Promise<World> {
  const database = nodes === 2 ? await freshPostgres() : 'sqlite:memory'
  const modules = ['presence', 'offline-messages', 'message-status']
  return world(t, { modules, nodes, database })
}

async function status(w: World, id: string, to = JULIET): Promise<Record<string, unknown>> {
  const { rows } = await w.servers.at(-1)!.run(DOMAIN, 'message status', { id, by: ROMEO, to })
  return rows![0]!
}

/** What rides along with others' writes is on disk; with several nodes, when nothing older can come. */
async function written(w: World): Promise<void> {
  for (let round = 0; round < 3; round++) {
    w.clock.advance(2000)
    await w.settle()
  }
}

const say = (to: string, id: string): string =>
  `<message to='${to}' type='chat' id='${id}'><body>${id}</body></message>`

for (const nodes of [1, 2] as const) {
  test(`stored, then delivered, then displayed (${nodes} nodes)`, async (t) => {
    const w = await scene(t, nodes)
    w.romeo.sends(say(JULIET, 'one'))
    await w.settle()
    const at = new Date(w.clock.now()).toISOString()
    t.match(await status(w, 'one'), { state: 'stored', to: JULIET, stored: at, delivered: null })
    await w.juliet.comesOnline()
    await written(w)
    t.match(await status(w, 'one'), { state: 'delivered' })
    w.juliet.sends(
      `<message to='${ROMEO}'><displayed xmlns='urn:xmpp:chat-markers:0' id='one'/></message>`,
    )
    await w.settle()
    t.match(await status(w, 'one'), { state: 'displayed' })
    w.romeo.sends(say(JULIET, 'two'))
    await w.settle()
    await written(w)
    t.match(await status(w, 'two'), { state: 'delivered' })
  })
}

test('a message that is not there, or not sent by this account, has no status', async (t) => {
  const w = await scene(t)
  await w.juliet.comesOnline()
  w.juliet.sends(say(ROMEO, 'hers'))
  await w.settle()
  await t.rejects(status(w, 'unknown'), { message: /no message/ })
  await t.rejects(status(w, 'hers'), { message: /no message/ })
  await t.rejects(w.server.run(DOMAIN, 'message status', { id: 'one', by: `nobody@${DOMAIN}` }), {
    message: /there is no|no message/,
  })
})

test('by the id of the archive', async (t) => {
  const w = await scene(t)
  await w.juliet.comesOnline()
  await w.juliet.clears()
  w.romeo.sends(say(JULIET, 'one'))
  const message = await w.juliet.receives("<message id='one'/>")
  const id = message.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs.id!
  const { rows } = await w.server.run(DOMAIN, 'message status', { id, by: ROMEO })
  t.match(rows![0], { state: 'delivered' })
})

async function comesBack(w: World, content: string, from = BENVOLIO): Promise<void> {
  await w.server.router.receive(
    new Envelope({
      stanza: Stanza.parse(`<message type='chat'>${content}</message>`),
      from: Jid.parse(`${from}/there`),
      to: Jid.parse(ROMEO),
      origin: 'server',
      arrived: w.clock.now(),
    }),
  )
  await w.settle()
}

/** As when there are streams to other servers: nothing is on its way there yet. */
async function sentElsewhere(w: World, ...ids: string[]): Promise<void> {
  await keptBySender(w, BENVOLIO, ids)
}

async function keptBySender(w: World, to: string, ids: readonly string[]): Promise<void> {
  const { journal } = w.server
  const owner = w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(w.romeo.jid))!.number
  for (const id of ids) {
    const entry = journal.entry()
    entry.message = new LoggedMessage({
      from: Jid.parse(w.romeo.jid),
      to: Jid.parse(to),
      text: `<message type='chat' id='${id}'><body>${id}</body></message>`,
      label: hash53(id),
      key: '',
      author: owner,
    })
    entry.message.sender = { owner, flags: KEPT | OUTGOING }
    await journal.commit(entry)
  }
}

test('elsewhere a receipt says delivered, with its time (XEP-0184 §5)', async (t) => {
  const w = await scene(t)
  await sentElsewhere(w, 'one', 'two')
  t.match(await status(w, 'one', BENVOLIO), { state: 'stored', delivered: null })
  w.clock.advance(60_000)
  const at = new Date(w.clock.now()).toISOString()
  await comesBack(w, "<received xmlns='urn:xmpp:receipts' id='one'/>")
  w.clock.advance(60_000)
  await comesBack(w, "<received xmlns='urn:xmpp:receipts' id='one'/>")
  t.match(await status(w, 'one', BENVOLIO), { state: 'delivered', delivered: at })
  t.match(await status(w, 'two', BENVOLIO), { state: 'stored' }, 'a receipt is for one message')
})

test('elsewhere a marker says displayed, for all before it too (XEP-0333 §1)', async (t) => {
  const w = await scene(t)
  await sentElsewhere(w, 'one', 'two', 'three')
  await comesBack(w, "<displayed xmlns='urn:xmpp:chat-markers:0' id='two'/>")
  const at = new Date(w.clock.now()).toISOString()
  t.match(await status(w, 'one', BENVOLIO), { state: 'displayed', displayed: null })
  t.match(await status(w, 'two', BENVOLIO), { state: 'displayed', displayed: at })
  t.match(await status(w, 'three', BENVOLIO), { state: 'stored' })
})

test('nobody speaks for another one', async (t) => {
  const w = await scene(t)
  await sentElsewhere(w, 'one')
  await comesBack(
    w,
    "<displayed xmlns='urn:xmpp:chat-markers:0' id='one'/>",
    'tybalt@montague.example',
  )
  t.match(await status(w, 'one', BENVOLIO), { state: 'stored' })
})

test('of what the recipient keeps nothing of no more is known than that it was stored', async (t) => {
  const w = await scene(t)
  await keptBySender(w, JULIET, ['one'])
  await w.juliet.comesOnline()
  w.romeo.sends(say(JULIET, 'two'))
  await w.settle()
  t.match(await status(w, 'two'), { state: 'delivered' })
  t.match(await status(w, 'one'), { state: 'stored' })
})
