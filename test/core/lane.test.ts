// The lane of a session: order on one stream, what may overtake, and what becomes of stanzas that
// were received when the stream ends.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { xml } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { DOMAIN, world } from '../world/world.js'

const NS = 'urn:example:slow'

/** Messages wait at a gate; requests that read wait at another. */
function gated() {
  const waiting: (() => void)[] = []
  const gate = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  const module = defineModule({
    name: 'gated',
    summary: 'Holds what it is told to hold',
    setup: () => ({
      hooks: {
        'message:sent': {
          admit: ({ stanza }) => (stanza.has('slow', NS) ? gate() : undefined),
        },
      },
      iq: (['read', 'change'] as const).map((name) => ({
        get: name,
        xmlns: NS,
        to: 'host' as const,
        allow: 'anyone' as const,
        reads: name === 'read',
        async answer() {
          await gate()
          return xml(name, NS)
        },
      })),
    }),
  })
  const open = async (): Promise<void> => {
    for (const pass of waiting.splice(0)) pass()
    await turn()
  }
  return { module, waiting, open }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const slow = `<slow xmlns='${NS}'/>`
const juliet = `juliet@${DOMAIN}/phone`
const message = (id: string, inside = '') =>
  `<message to='${juliet}' id='${id}'>${inside}</message>`
const ids = (client: { inbox: { attrs: Record<string, unknown> }[] }) =>
  client.inbox.map(({ attrs }) => attrs.id)

test('a stanza that waits holds those after it, of whatever kind (RFC 6120 §10.1)', async (t) => {
  const { module, open } = gated()
  const { romeo, juliet: hers, settle } = await world(t, { modules: [module] })
  romeo.sends(
    `${message('1')}${message('2', slow)}${message('3')}<iq type='get' id='4' to='${juliet}'><a xmlns='b'/></iq>`,
  )
  await turn()
  t.same(ids(hers), ['1'])
  t.ok(romeo.transport.paused, 'nothing more is read from the client')
  await open()
  await settle()
  t.same(ids(hers), ['1', '2', '3', '4'])
  t.notOk(romeo.transport.paused)
})

test('a request that reads holds nobody; one that changes something does', async (t) => {
  const { module, open } = gated()
  const { romeo, juliet: hers, settle } = await world(t, { modules: [module] })
  const ask = (name: string, id: string) =>
    `<iq type='get' id='${id}' to='${DOMAIN}'><${name} xmlns='${NS}'/></iq>`
  romeo.sends(ask('read', 'r') + message('1') + ask('change', 'c') + message('2'))
  await turn()
  t.same(ids(hers), ['1'])
  t.same(ids(romeo), [])
  await open()
  await settle()
  t.same(ids(hers), ['1', '2'])
  t.same(ids(romeo).sort(), ['c', 'r'])
})

test('requests that read and are not answered yet have a bound (LIM-open-reads)', async (t) => {
  const { module, open, waiting } = gated()
  const { romeo, settle } = await world(t, { modules: [module] })
  let text = ''
  for (let i = 0; i < 100; i++)
    text += `<iq type='get' id='${i}' to='${DOMAIN}'><read xmlns='${NS}'/></iq>`
  romeo.sends(text)
  await turn()
  t.equal(waiting.length, 33)
  t.ok(romeo.transport.paused)
  while (waiting.length > 0) await open()
  await settle()
  t.equal(romeo.inbox.length, 100)
})

test('more than one read while the lane waits is held by the transport, then goes on in order', async (t) => {
  const { module, open } = gated()
  const { romeo, juliet: hers, settle } = await world(t, { modules: [module] })
  romeo.sends(message('first', slow))
  for (let i = 0; i < 50; i++) romeo.sends(message(`${i}`) + message(`${i}+`))
  await turn()
  t.same(ids(hers), [])
  await open()
  await settle()
  const expected = Array.from({ length: 50 }, (_, i) => [`${i}`, `${i}+`]).flat()
  t.same(ids(hers), ['first', ...expected])
})

test('what breaks in the lane does not stop it', async (t) => {
  const breaks = defineModule({
    name: 'breaks',
    summary: 'Breaks, at once and later',
    setup: () => ({
      hooks: {
        'message:sent': {
          admit({ stanza }) {
            if (stanza.id === 'now') throw new Error('at once')
            return stanza.id === 'later' ? Promise.reject(new Error('later')) : undefined
          },
        },
      },
    }),
  })
  const { romeo, juliet: hers, settle, log } = await world(t, { modules: [breaks], mayFail: true })
  romeo.sends(message('1') + message('now') + message('later') + message('2'))
  await settle()
  t.same(ids(hers), ['1', '2'])
  for (const id of ['now', 'later'])
    await romeo.receives(
      `<message type='error' id='${id}'><error><internal-server-error/></error></message>`,
    )
  t.equal(log.filter((line) => line.includes(' a bug in ')).length, 2)
})

for (const end of ['leaves', 'breaks'] as const) {
  test(`what was received whole is processed when the client ${end} meanwhile (RFC 6120 §4.4)`, async (t) => {
    const { module, open } = gated()
    const w = await world(t, { modules: [module, 'presence'] })
    await w.juliet.comesOnline()
    await w.juliet.clears()
    const closed: string[] = []
    w.server.hosts.get(DOMAIN)!.events.add('test', {
      'session:closed': ({ session }) => void closed.push(session.resource),
    })
    w.romeo.sends(message('1', slow) + message('2') + message('3', slow) + message('4'))
    if (end === 'leaves') w.romeo.transport.feed('</stream:stream>')
    else w.romeo.transport.cut(new Error('reset'))
    await turn()
    t.same(ids(w.juliet), [])
    t.same(closed, [])
    await open()
    t.same(ids(w.juliet), ['1', '2'])
    await open()
    await w.settle()
    t.same(ids(w.juliet), ['1', '2', '3', '4'])
    t.same(closed, ['phone'], 'then the session is gone, once')
    t.notOk(w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(w.romeo.jid)))
    t.equal(w.romeo.closed, end === 'leaves')
  })
}

test('a client that closes its stream hears the answers first, then the closing tag (RFC 6120 §4.4)', async (t) => {
  const { module, open } = gated()
  const { romeo, settle } = await world(t, { modules: [module] })
  romeo.sends(
    `<iq type='get' id='r' to='${DOMAIN}'><read xmlns='${NS}'/></iq><iq type='get' id='c' to='${DOMAIN}'><change xmlns='${NS}'/></iq></stream:stream>`,
  )
  await turn()
  t.notOk(romeo.closed)
  await open()
  await settle()
  t.same(ids(romeo).sort(), ['c', 'r'])
  t.ok(romeo.closed)
  t.equal(romeo.transcript.at(-1), '</stream:stream>')
})

test('to a session whose stream is gone nothing is delivered: the sender hears so', async (t) => {
  const { module, open } = gated()
  const { romeo, juliet: hers } = await world(t, { modules: [module] })
  hers.sends(`<message to='${romeo.jid}' id='last'>${slow}</message>`)
  hers.transport.cut(new Error('reset'))
  await turn()
  romeo.sends(message('lost'))
  await turn()
  t.equal(romeo.inbox[0]?.attrs.type, 'error')
  await open()
  await romeo.receives(
    "<message type='error' id='lost'><error><service-unavailable/></error></message>",
  )
  await romeo.receives("<message id='last'/>")
})

test('who takes an address waits until what the older session had sent is done (RFC 6120 §7.7.2.2)', async (t) => {
  const { module, open } = gated()
  const w = await world(t, { modules: [module] })
  w.romeo.sends(message('1', slow) + message('2'))
  const again = w.stranger({ account: `romeo@${DOMAIN}` })
  again.open()
  again.transport.feed(`<login xmlns='urn:tercet:world'>romeo@${DOMAIN}</login>`)
  await turn()
  again.transport.feed(
    "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>phone</resource></bind></iq>",
  )
  again.sends(message('3'))
  await turn()
  t.ok(w.romeo.closed)
  t.same(ids(w.juliet), [])
  await open()
  await w.settle()
  t.same(ids(w.juliet), ['1', '2', '3'])
})

test('who is put out is not heard further (RFC 6120 §4.9.3.9)', async (t) => {
  const { module, open } = gated()
  const { romeo, juliet: hers, settle } = await world(t, { modules: [module] })
  romeo.sends(
    `${message('1', slow)}<message from='${juliet}' to='${juliet}' id='forged'/>${message('3')}`,
  )
  await turn()
  await open()
  await settle()
  t.same(ids(hers), ['1'])
  t.ok(romeo.streamError?.getChild('invalid-from'))
})

test('a client that an administrator removes has nothing more done for it', async (t) => {
  const { module, open } = gated()
  const w = await world(t, { modules: [module] })
  w.romeo.sends(message('1', slow) + message('2'))
  await turn()
  const removed = w.server.run(DOMAIN, 'user disable', { jids: `romeo@${DOMAIN}` })
  await removed
  await open()
  await w.settle()
  t.ok(w.romeo.streamError?.getChild('not-authorized'))
  t.same(ids(w.juliet), ['1'], 'only what was being done')
})
