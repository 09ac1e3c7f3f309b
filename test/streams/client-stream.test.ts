// A client's stream (RFC 6120 §4), over TCP and over WebSocket (RFC 7395): header, features, every
// error that a client can provoke, and the end.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { xml } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Client } from '../world/client.js'
import { DOMAIN, type World, world } from '../world/world.js'

const ROMEO = `romeo@${DOMAIN}`
const NS = 'urn:example:stream'
const LOGIN = `<login xmlns='urn:tercet:world'>${ROMEO}</login>`
const bind = (resource: string) =>
  `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const DEFAULTS = { to: DOMAIN, version: '1.0' }
function header(more: Record<string, string | undefined> = {}): string {
  const attributes = Object.entries({ ...DEFAULTS, ...more })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}='${value}'`)
  return `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'${attributes.join('')}>`
}

function open(more: Record<string, string | undefined> = {}): string {
  return header(more)
    .replace(/^<stream:stream .*?streams'/, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'")
    .replace(/>$/, '/>')
}

const condition = (client: Client) => client.streamError?.getChildElements()[0]?.getName()
const idOf = (text: string) => /\sid='([^']*)'/.exec(text)?.[1]

/** Restarts, waits, and answers what it is told to. */
function negotiation() {
  const gates: (() => void)[] = []
  const module = defineModule({
    name: 'negotiation',
    summary: 'Features for streams under test',
    setup: () => ({
      streamFeatures: [
        {
          name: 'restart',
          accepts: [`{${NS}}restart`],
          advertise: (stream) => (stream.account ? undefined : xml('restart', NS)),
          negotiate(_element, stream) {
            stream.send(xml('success', NS))
            stream.authenticated(Jid.parse(ROMEO), 'restart')
          },
        },
        {
          name: 'wait',
          accepts: [`{${NS}}wait`, `{${NS}}fail`, `{${NS}}break`],
          advertise: () => xml('wait', NS),
          async negotiate(element, stream) {
            if (element.getName() === 'fail') return stream.loginFailed(true)
            if (element.getName() === 'break') throw new Error('a feature that breaks')
            await new Promise<void>((resolve) => gates.push(resolve))
            stream.send(xml('waited', NS))
          },
        },
      ],
    }),
  })
  const pass = async () => {
    for (const gate of gates.splice(0)) gate()
    await turn()
  }
  return { module, pass }
}

test('a header is answered with ours: from, to, version, language and an id (RFC 6120 §4.7)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const tcp = w.stranger()
  tcp.transport.feed(`<?xml version='1.0'?>${header({ from: ROMEO, 'xml:lang': 'it' })}`)
  const [ours] = tcp.transcript
  t.match(ours, /^<\?xml version='1\.0'\?><stream:stream xmlns='jabber:client'/)
  t.match(ours, ` from='${DOMAIN}' to='${ROMEO}' id='`)
  t.match(ours, / version='1\.0' xml:lang='en'>$/)
  t.match(idOf(ours!), /^[\w-]{22,}$/, 'at least 128 bits (SEC-26)')
  await tcp.receives('<features/>')

  const web = w.stranger({ framing: 'message' })
  web.transport.feed(open({ from: ROMEO }))
  t.match(web.transcript[0], /^<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'.*\/>$/)
  t.match(web.transcript[0], ` from='${DOMAIN}' to='${ROMEO}' id='`)
  t.match(
    web.transcript[1],
    /^<stream:features xmlns:stream=/,
    'every message names its namespaces',
  )
})

test('each stream and each restart has an id of its own, and a header (RFC 6120 §4.3.3, §4.7.3)', async (t) => {
  const { module } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false })
  const ids = new Set<string | undefined>()
  for (let i = 0; i < 2; i++) {
    const client = w.stranger()
    client.transport.feed(header())
    client.transport.feed(`<restart xmlns='${NS}'/>`)
    client.transport.feed(header())
    const headers = client.transcript.filter((text) => text.includes('<stream:stream'))
    t.equal(headers.length, 2)
    for (const text of headers) ids.add(idOf(text))
    await client.receives('<features><restart/></features>')
    await client.receives('<success/>')
    await client.receives('<features><bind/></features>')
  }
  t.equal(ids.size, 4)
})

// Errors, each at its place (RFC 6120 §4.9.3)

const errors: [name: string, sends: string, expected: string][] = [
  ['no XML (§4.9.3.13)', 'GET / HTTP/1.1\r\n\r\n', 'not-well-formed'],
  ['broken XML (§4.9.3.13)', `${header()}<a></b>`, 'not-well-formed'],
  ['a comment (§4.9.3.18, §11.1)', `${header()}<!-- -->`, 'restricted-xml'],
  ['a DTD (§4.9.3.18, §11.1)', "<!DOCTYPE a [<!ENTITY b 'c'>]>", 'restricted-xml'],
  ['a processing instruction (§4.9.3.18)', `${header()}<?php ?>`, 'restricted-xml'],
  ['no stream namespace (§4.9.3.10)', header().replace('etherx', 'ether'), 'invalid-namespace'],
  ['another content (§4.9.3.10)', header().replace('client', 'server'), 'invalid-namespace'],
  ['bytes that are no UTF-8 (§4.9.3.22)', 'UTF-8', 'unsupported-encoding'],
  [
    'a declared encoding (§4.9.3.22)',
    "<?xml version='1.0' encoding='latin1'?>",
    'unsupported-encoding',
  ],
  ['a host that is not ours (§4.9.3.6)', header({ to: 'mantua.example' }), 'host-unknown'],
  ['an account as host (§4.9.3.6)', header({ to: ROMEO }), 'host-unknown'],
  ['no host (§4.9.3.6)', header({ to: undefined }), 'host-unknown'],
  ['no version (§4.9.3.25)', header({ version: undefined }), 'unsupported-version'],
  ['version 0.9 (§4.9.3.25)', header({ version: '0.9' }), 'unsupported-version'],
  ['a sender that is none (§4.9.3.9)', header({ from: 'a@b@c' }), 'invalid-from'],
  ['a message before login (§4.9.3.12)', `${header()}<message/>`, 'not-authorized'],
  ['a bind before login (§4.9.3.12)', header() + bind('x'), 'not-authorized'],
  ['an unknown element (§4.9.3.24)', `${header()}<a xmlns='b'/>`, 'unsupported-stanza-type'],
  ['an unknown stream element (§4.9.3.1)', `${header()}<stream:what/>`, 'bad-format'],
  [
    'a feature that was not offered (SEC-23)',
    `${header()}<starttls xmlns='urn:x'/>`,
    'unsupported-stanza-type',
  ],
  ['a stanza too large (§4.9.3.14)', `${header()}<iq>${' '.repeat(17_000)}`, 'policy-violation'],
]

for (const [name, sends, expected] of errors) {
  test(`${name}: ${expected}, after our header, and the end (§4.9.1.2)`, async (t) => {
    const w = await world(t, { loggedIn: false })
    const client = w.stranger()
    client.transport.feed(
      sends === 'UTF-8'
        ? Buffer.from([...Buffer.from(`${header()}<a>`), 0xc3, 0x28, ...Buffer.from('</a>')])
        : sends,
    )
    await w.settle()
    t.equal(condition(client), expected)
    t.match(client.transcript[0], /<stream:stream /, 'a header first')
    t.equal(client.transcript.filter((text) => text.includes('<stream:stream')).length, 1)
    t.equal(client.transcript.at(-1), '</stream:stream>')
    t.ok(client.transport.ended)
    t.equal(w.server.streams.size, 0)
  })
}

test('an undeclared prefix ends the stream (RFC 6120 §4.9.3.2)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const client = w.stranger()
  client.transport.feed(`${header()}<foreign:message/>`)
  t.ok(['bad-namespace-prefix', 'not-well-formed'].includes(condition(client)!))
})

test('over WebSocket errors come in their frames, an open first (RFC 7395 §3.4)', async (t) => {
  const w = await world(t, { loggedIn: false })
  for (const [sends, expected] of [
    [open({ to: 'mantua.example' }), 'host-unknown'],
    [open({ version: undefined }), 'unsupported-version'],
    [`${header()}`, undefined],
    ["<message xmlns='jabber:client'/>", undefined],
  ] as const) {
    const client = w.stranger({ framing: 'message' })
    client.transport.feed(sends)
    if (expected) t.equal(condition(client), expected)
    t.ok(client.streamError, sends)
    t.match(client.transcript[0], /^<open /)
    t.match(client.transcript[1], /^<stream:error xmlns:stream=/)
    t.equal(client.transcript.at(-1), "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
    t.notMatch(client.transcript.at(-1), /see-other-uri/)
    t.ok(client.transport.ended)
  }
})

test('an error in a restarted stream comes after a header of that stream (RFC 6120 §4.9.1.2, SEC-11)', async (t) => {
  const { module } = negotiation()
  const hosts = ['verona.example']
  const w = await world(t, { modules: [module], hosts, loggedIn: false })
  for (const [again, expected] of [
    [header({ to: 'verona.example' }), 'host-unknown'],
    [header({ from: `juliet@${DOMAIN}` }), 'invalid-from'],
    [header({ version: undefined }), 'unsupported-version'],
    ['<message/>', undefined],
  ] as const) {
    const client = w.stranger()
    client.transport.feed(header())
    client.transport.feed(`<restart xmlns='${NS}'/>`)
    client.transport.feed(again)
    if (expected) t.equal(condition(client), expected)
    t.ok(client.closed, again)
    const headers = client.transcript.filter((text) => text.includes('<stream:stream'))
    t.equal(headers.length, 2, again)
    t.not(idOf(headers[0]!), idOf(headers[1]!))
    t.ok(headers.every((text) => !text.includes('verona')))
  }
})

test('who does not log in, or logs in and does not bind, is cut off (RFC 6120 §4.9.3.4)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const silent = w.stranger()
  const idle = w.stranger({ account: ROMEO })
  idle.open()
  w.clock.advance(29_000)
  idle.transport.feed(LOGIN)
  await w.settle()
  w.clock.advance(1_000)
  t.equal(condition(silent), 'connection-timeout')
  t.match(silent.transcript[0], /<stream:stream /)
  t.notOk(idle.closed)
  w.clock.advance(59_000)
  t.equal(condition(idle), 'connection-timeout')
  t.equal(w.server.streams.size, 0)
})

test('who is bound is not cut off for that', async (t) => {
  const w = await world(t)
  w.clock.advance(3_600_000)
  t.notOk(w.romeo.closed)
})

test('a stream allows five failed logins (RFC 6120 §6.4.5)', async (t) => {
  const { module } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false })
  const client = w.stranger()
  client.open()
  for (let i = 0; i < 4; i++) client.transport.feed(`<fail xmlns='${NS}'/>`)
  await w.settle()
  t.notOk(client.closed)
  client.transport.feed(`<fail xmlns='${NS}'/>`)
  await w.settle()
  t.equal(condition(client), 'policy-violation')
})

test('a feature that breaks is a bug: internal-server-error, and the log has it (RFC 6120 §4.9.3.8)', async (t) => {
  const { module } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false, mayFail: true })
  const client = w.stranger()
  client.open()
  client.transport.feed(`<break xmlns='${NS}'/>`)
  await w.settle()
  t.equal(condition(client), 'internal-server-error')
  t.equal(w.log.filter((line) => line.includes('a feature that breaks')).length, 1)
})

// Order

test('everything in one chunk is done in its order: login, bind, stanzas, the end', async (t) => {
  const w = await world(t, { people: ['romeo', 'juliet'] })
  const client = w.stranger({ account: ROMEO })
  const to = w.juliet.jid
  client.transport.feed(header())
  client.transport.feed(
    `${LOGIN}${bind('garden')}<message to='${to}' id='1'/><message to='${to}' id='2'/></stream:stream>`,
  )
  await w.settle()
  t.same(
    w.juliet.inbox.map(({ attrs }) => `${attrs.id} ${attrs.from}`),
    [`1 ${ROMEO}/garden`, `2 ${ROMEO}/garden`],
  )
  t.equal(client.transcript.at(-1), '</stream:stream>')
  t.notOk(client.streamError)
})

test('a feature that waits holds what comes after it, and the transport', async (t) => {
  const { module, pass } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false })
  const client = w.stranger()
  client.transport.feed(header())
  client.inbox = []
  client.transport.feed(`<wait xmlns='${NS}'/><wait xmlns='${NS}'/>${LOGIN}`)
  client.transport.feed(bind('x'))
  await turn()
  t.same(client.inbox, [])
  t.ok(client.transport.paused)
  await pass()
  await pass()
  await w.settle()
  t.same(
    client.inbox.map((element) => element.getName()),
    ['waited', 'waited', 'features', 'iq'],
  )
  t.notOk(client.transport.paused)
})

test('a client that goes while a feature waits leaves nothing behind', async (t) => {
  const { module, pass } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false })
  const timers = w.clock.waiting
  const client = w.stranger()
  client.transport.feed(header())
  client.transport.feed(`<wait xmlns='${NS}'/><restart xmlns='${NS}'/>${bind('x')}`)
  client.transport.cut(new Error('reset'))
  await pass()
  await w.settle()
  t.equal(w.server.streams.size, 0)
  t.equal(w.server.hosts.get(DOMAIN)!.sessions.size, 0)
  t.equal(w.clock.waiting, timers, 'no timer holds it')
})

test('after login and before bind nothing but bind is taken (RFC 6120 §7.1)', async (t) => {
  const w = await world(t, { loggedIn: false })
  for (const sends of [
    "<message id='1'/>",
    '<presence/>',
    "<iq type='get' id='1'><a xmlns='b'/></iq>",
  ]) {
    const client = w.stranger({ account: ROMEO })
    client.open()
    client.transport.feed(LOGIN + sends)
    await w.settle()
    t.equal(condition(client), 'not-authorized', sends)
  }
})

test('a second bind is refused, and the first stays (RFC 6120 §7)', async (t) => {
  const w = await world(t)
  w.romeo.sends(bind('another'))
  await w.romeo.receives("<iq type='error' id='bind'/>")
  t.equal(w.server.hosts.get(DOMAIN)!.sessions.of(Jid.parse(ROMEO)).length, 1)
  t.notOk(w.romeo.closed)
})

// The end

test('a closing tag is answered with one (RFC 6120 §4.4)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const early = w.stranger()
  early.transport.feed(`${header()}</stream:stream>`)
  const phone = await w.device('romeo', 'phone')
  const page = await w.device('romeo', 'page', { framing: 'message' })
  for (const client of [phone, page]) await client.leaves()
  for (const client of [early, phone, page]) {
    t.ok(client.closed && client.transport.ended)
    t.notOk(client.streamError)
    t.equal(client.transcript.filter((text) => /^<(\/stream|close)/.test(text)).length, 1)
  }
  t.equal(w.server.streams.size, 0)
})

// STARTTLS

const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

test('what came in clear with the request for TLS is dropped (RFC 6120 §5.4.3.3, SEC-12)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const client = w.stranger({ account: ROMEO, clear: true })
  client.open()
  await client.receives('<features><starttls><required/></starttls></features>')
  client.transport.feed(`${STARTTLS}${header()}${LOGIN}${bind('injected')}`)
  await w.settle()
  await client.receives("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  await client.receivesNothing()
  t.notOk(client.closed)
  client.open()
  const features = await client.receives('<features><login/></features>')
  t.notOk(features.getChild('starttls'))
  const [before, after] = client.transcript.filter((text) => text.includes('<stream:stream'))
  t.not(idOf(before!), idOf(after!))
})

test('what waits behind another feature is dropped by TLS too (SEC-12)', async (t) => {
  const { module, pass } = negotiation()
  const w = await world(t, { modules: [module], loggedIn: false })
  const client = w.stranger({ account: ROMEO, clear: true })
  client.open()
  await client.clears()
  client.transport.feed(`<wait xmlns='${NS}'/>${STARTTLS}${LOGIN}`)
  await pass()
  await w.settle()
  await client.receives('<waited/>')
  await client.receives('<proceed/>')
  await client.receivesNothing()
  t.notOk(client.closed)
})

test('a second STARTTLS is a failure and the end (RFC 6120 §5.4.2.2)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const client = w.stranger({ account: ROMEO })
  client.open()
  client.transport.feed(LOGIN + STARTTLS)
  await client.finds("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  t.ok(client.closed)
})

test('a handshake that fails is no bug of ours (RFC 6120 §5.4.3.2)', async (t) => {
  const w = await world(t, { loggedIn: false })
  const timers = w.clock.waiting
  const client = w.stranger({ clear: true })
  client.open()
  client.transport.secure = () => Promise.reject(new Error('no shared cipher'))
  client.transport.feed(STARTTLS)
  await w.settle()
  t.equal(w.server.streams.size, 0)
  t.equal(w.clock.waiting, timers)
})

// Pace

function flood(w: World, count: number, bytes = 0): void {
  const body = 'x'.repeat(bytes)
  for (let i = 0; i < count; i++)
    w.romeo.transport.feed(`<message to='${w.juliet.jid}' id='${i}'><body>${body}</body></message>`)
}

test('who sends too many stanzas is read more slowly, and loses none (LIM-rate)', async (t) => {
  const w = await world(t, { limits: 'default' })
  flood(w, 200)
  await w.settle()
  const first = w.juliet.inbox.length
  t.ok(first >= 90 && first <= 101, `${first} at once`)
  t.ok(w.romeo.transport.paused)
  w.clock.advance(1000)
  await w.settle()
  const second = w.juliet.inbox.length - first
  t.ok(second >= 20 && second <= 30, `${second} in the next second`)
  w.clock.advance(10_000)
  await w.settle()
  t.same(
    w.juliet.inbox.map(({ attrs }) => Number(attrs.id)),
    Array.from({ length: 200 }, (_, i) => i),
  )
  t.notOk(w.romeo.closed)
})

test('who sends too many bytes is read more slowly, and loses none (LIM-rate)', async (t) => {
  const w = await world(t, { limits: 'default' })
  flood(w, 10, 32 * 1024)
  await w.settle()
  const first = w.juliet.inbox.length
  t.ok(first >= 3 && first <= 5, `${first} at once`)
  w.clock.advance(10_000)
  await w.settle()
  t.equal(w.juliet.inbox.length, 10)
})

test('where limits are off nobody is slowed down', async (t) => {
  const w = await world(t)
  flood(w, 300)
  await w.settle()
  t.equal(w.juliet.inbox.length, 300)
})
