// Delivery between nodes: the same as on one, and honest where the directory is wrong. Which session
// gets which message is tested in scenarios/messages.

import { test } from 'tap'
import { encodeLogged, encodeStanza, readFrame } from '../../lib/core/frame.js'
import { defineModule } from '../../lib/core/module.js'
import { fromWire, toWire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { LoggedMessage } from '../../lib/storage/logged-message.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../world/world.js'

const JULIET = `juliet@${DOMAIN}`
const two = { modules: ['presence', 'roster'], nodes: 2, loggedIn: false } as const

test('a message reaches sessions on this node and on another, once each', async (t) => {
  const w = await world(t, two)
  const romeo = await w.device('romeo', 'phone')
  const near = await w.device('juliet', 'near')
  const far = await w.device('juliet', 'far', { node: 1 })
  for (const device of [near, far]) await device.comesOnline()
  for (const device of [near, far]) await device.clears()
  let frames = 0
  const { send } = w.server.bus
  w.server.bus.send = (node, frame) => {
    frames++
    return send(node, frame)
  }
  romeo.sends(`<message to='${JULIET}' type='chat' id='1'><body>both</body></message>`)
  for (const device of [near, far]) {
    const message = await device.receives("<message id='1'><body>both</body></message>")
    t.equal(message.attrs.from, romeo.jid)
    await device.receivesNothing()
  }
  t.equal(frames, 1, 'over the bus to the other node, not to this one')
  romeo.sends(`<message to='${far.jid}' id='2' type='chat'/>`)
  await far.receives("<message id='2'/>")
  await near.receivesNothing()
  far.sends(`<message to='${romeo.jid}' id='3' type='chat'/>`)
  await romeo.receives("<message id='3'/>")
})

test('presence and requests cross nodes in both directions', async (t) => {
  const w = await world(t, two)
  const phone = await w.device('romeo', 'phone')
  const laptop = await w.device('romeo', 'laptop', { node: 1 })
  await phone.comesOnline('<status>here</status>')
  await phone.clears()
  await laptop.comesOnline('<status>there</status>')
  await phone.finds(`<presence from='${laptop.jid}'><status>there</status></presence>`)
  await laptop.finds(`<presence from='${phone.jid}'><status>here</status></presence>`)
  phone.sends(`<iq type='get' id='q' to='${laptop.jid}'><query xmlns='urn:example:q'/></iq>`)
  await laptop.finds(`<iq type='get' id='q' from='${phone.jid}'><query/></iq>`)
  laptop.sends(`<iq type='result' id='q' to='${phone.jid}'/>`)
  await phone.finds("<iq type='result' id='q'/>")
  await laptop.leaves()
  await w.settle()
  await phone.finds(`<presence type='unavailable' from='${laptop.jid}'/>`)
})

test('order is kept between nodes (RFC 6120 §10.1)', async (t) => {
  const w = await world(t, two)
  const romeo = await w.device('romeo', 'phone')
  const far = await w.device('juliet', 'far', { node: 1 })
  let text = ''
  for (let i = 0; i < 200; i++) text += `<message to='${far.jid}' id='${i}' type='chat'/>`
  romeo.sends(text)
  await w.settle()
  t.same(
    far.inbox.map(({ attrs }) => Number(attrs.id)),
    Array.from({ length: 200 }, (_, i) => i),
  )
})

test('an address that is bound again on another node is taken from the first (RFC 6120 §7.7.2.2)', async (t) => {
  const w = await world(t, two)
  const first = await w.device('romeo', 'phone')
  const second = await w.device('romeo', 'phone', { node: 1 })
  await w.settle()
  t.ok(first.streamError?.getChild('conflict'))
  t.ok(first.closed)
  t.notOk(second.closed)
  const places = await w.server.directory.lookup(`romeo@${DOMAIN}`)
  t.same(
    places.map(({ node, resource }) => `${node} ${resource}`),
    ['node1 phone'],
  )
})

test('sessions of all nodes count for an account (LIM-sessions-per-account)', async (t) => {
  const w = await world(t, two)
  for (let i = 0; i < 20; i++) await w.device('romeo', `device ${i}`, { node: i % 2 })
  await t.rejects(w.device('romeo', 'one too many', { node: 1 }), /could not bind/)
})

test('where the directory is wrong the sender is told, and it is put right', async (t) => {
  const w = await world(t, two)
  const romeo = await w.device('romeo', 'phone')
  const { directory } = w.server
  const stale = (node: string, resource: string) => ({
    ...{ id: `id of ${resource}`, node, resource },
    ...{ available: true, priority: 0 },
  })
  await directory.put(JULIET, stale('node7', 'burnt'))
  romeo.sends(`<message to='${JULIET}' type='chat' id='1'/>`)
  await romeo.receives(
    "<message type='error' id='1'><error><service-unavailable/></error></message>",
  )
  romeo.sends(`<iq to='${JULIET}/burnt' type='get' id='2'><a xmlns='b'/></iq>`)
  await romeo.receives("<iq type='error' id='2'><error><service-unavailable/></error></iq>")
  await directory.remove(JULIET, 'id of burnt')

  await directory.put(JULIET, stale('node1', 'gone'))
  romeo.sends(`<iq to='${JULIET}/gone' type='get' id='3'><a xmlns='b'/></iq>`)
  await w.settle()
  await romeo.receives("<iq type='error' id='3'><error><service-unavailable/></error></iq>")
  t.same(await directory.lookup(JULIET), [], 'that node has said so')
})

test('a place that is gone does not keep a message from those that are there', async (t) => {
  const w = await world(t, { ...two, mayFail: true })
  const romeo = await w.device('romeo', 'phone')
  const near = await w.device('juliet', 'near')
  await near.comesOnline()
  await near.clears()
  const gone = { id: 'x', node: 'node7', resource: 'gone', available: true, priority: 0 }
  await w.server.directory.put(JULIET, gone)
  const { send } = w.server.bus
  w.server.bus.send = (node, frame) =>
    node === 'node7' ? Promise.reject(new Error('no route')) : send(node, frame)
  romeo.sends(`<message to='${JULIET}' type='chat' id='1'/>`)
  await near.receives("<message id='1'/>")
  await romeo.receivesNothing()
  t.equal(w.log.filter((line) => line.includes('no route')).length, 1)
})

test('a frame that is none is a bug of the other node, and harms nobody', async (t) => {
  const w = await world(t, { ...two, mayFail: true })
  const far = await w.device('juliet', 'far', { node: 1 })
  for (const frame of ['', 'x', '{}\n', '[1,2,3]\n<a/>'])
    await w.server.bus.send('node1', Buffer.from(frame))
  await w.settle()
  const romeo = await w.device('romeo', 'phone')
  romeo.sends(`<message to='${far.jid}' id='1' type='chat'/>`)
  await far.receives("<message id='1'/>")
})

test('a frame carries the stanza as it is, with the addresses that are trusted', async (t) => {
  const text =
    "<message type='chat' id='1' xml:lang='it' p:x='1' xmlns:p='urn:example:p'><body>Amore \u{1f339} &amp;\n</body><p:q/><x xmlns='urn:example:x'><y/></x></message>"
  const envelope = new Envelope({
    stanza: Stanza.parse(toWire(text)),
    from: Jid.parse('rom\u00e9o@capulet.example/pho\u2615ne'),
    to: Jid.parse(JULIET),
    origin: 'client',
    arrived: 1_700_000_000_000,
    addressed: false,
  }).annotated("<stanza-id xmlns='urn:xmpp:sid:0' id='7'/>")
  const frame = readFrame(encodeStanza('the session', envelope))
  if (!('session' in frame)) return t.fail('it is for a session')
  const { session, envelope: read } = frame
  t.equal(session, 'the session')
  t.ok(read.from.equals(envelope.from) && read.to.equals(envelope.to))
  t.same([read.origin, read.arrived, read.addressed], ['client', 1_700_000_000_000, false])
  t.equal(fromWire(read.wire), fromWire(envelope.wire))
  t.ok(read.stanza.has('q', 'urn:example:p') && read.stanza.has('x', 'urn:example:x'))
  return undefined
})

test('a frame carries a message of the log, for both sides of it', async (t) => {
  const [from, to] = [Jid.parse('rom\u00e9o@capulet.example/pho\u2615ne'), Jid.parse(JULIET)]
  const text = "<message type='chat'><body>Amore \u{1f339}</body></message>"
  const message = new LoggedMessage({ from, to, text: toWire(text), label: 0, key: '', author: 3 })
  Object.assign(message, { id: 7, recipient: { owner: 4, flags: 3, previous: 6 } })
  t.same(readFrame(encodeLogged(message)), {
    recorded: {
      ...{ id: 7, from: from.text, to: to.text, text },
      sides: [{ owner: 4, flags: 3, previous: 6, peer: from }],
    },
  })
})

test('session:write runs on the node that holds the session', async (t) => {
  const written: string[] = []
  const watch = defineModule({
    name: 'watch',
    summary: 'Sees what is written',
    setup: (host) => ({
      hooks: {
        'session:write': {
          admit: ({ stanza }, { session }) => {
            if (stanza.kind === 'message')
              written.push(`${host.server.node} ${session?.resource} ${stanza.id}`)
          },
        },
      },
    }),
  })
  const w = await world(t, { ...two, modules: ['presence', watch] })
  const romeo = await w.device('romeo', 'phone')
  const far = await w.device('juliet', 'far', { node: 1 })
  romeo.sends(`<message to='${far.jid}' id='1' type='chat'/>`)
  await far.receives("<message id='1'/>")
  t.same(written, ['node1 far 1'])
})

test('what is in the log of its recipient is not refused, though nobody takes it (RFC 6121 §8.5.3.2.1)', async (t) => {
  const w = await world(t, { modules: ['archive', 'presence'] })
  const to = `juliet@${DOMAIN}/gone`
  w.romeo.sends(`<message to='${to}' id='kept'><body>kept</body></message>`)
  await w.romeo.receivesNothing()
  const hint = "<no-store xmlns='urn:xmpp:hints'/>"
  w.romeo.sends(`<message to='${to}' id='lost'><body>lost</body>${hint}</message>`)
  await w.romeo.receives(
    "<message type='error' id='lost'><error><service-unavailable/></error></message>",
  )
})
