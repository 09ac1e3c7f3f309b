// XML and streams, through sockets. Every hostile input byte by byte is the matter of test/net; here
// the whole server is seen to end the stream and to go on with everybody else.

import { connect } from 'node:net'
import { test } from 'tap'
import { hostile } from '../net/hostile-corpus.js'
import { dialTls, gone, readAll } from '../net/ports.js'
import { ask, BINARY, readResponse, upgradeRequest } from '../net/websocket-client.js'
import { collectGarbage } from '../net/xml-recorder.js'
import { outcomeOf, type TcpPeer, type Way, type WebPeer } from './driver.js'
import { DOMAIN, NS_SASL, OTHER, authenticate, overBoth, serve } from './served.js'

const STREAM = "xmlns:stream='http://etherx.jabber.org/streams'"
const message = (content: string, more = '') =>
  `<message xmlns='jabber:client' to='juliet@${DOMAIN}'${more}>${content}</message>`

const forbidden: Record<string, string> = {
  'a document type': '<!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY ha "&lol;&lol;&lol;">]>',
  'a processing instruction': '<?pi?>',
  'a comment': '<!-- -->',
  'an entity declaration': '<!ENTITY x "y">',
}

overBoth('SEC-01: what a stream may not hold ends it, wherever it stands', async (t, way) => {
  const house = await serve(t)
  const juliet = await house.logsIn(way, 'juliet')
  juliet.peer.sends('<presence/>')
  for (const [what, text] of Object.entries(forbidden)) {
    const early = await house.connects(way)
    early.raw(text)
    t.equal(await early.condition(), 'restricted-xml', `${what} instead of a header`)
    const { peer } = await house.stranger(way)
    peer.raw(text)
    t.equal(await peer.condition(), 'restricted-xml', `${what} before login`)
    const romeo = await house.logsIn(way, 'romeo')
    romeo.peer.raw(message(text))
    t.equal(await romeo.peer.condition(), 'restricted-xml', `${what} inside a stanza`)
  }
  const romeo = await house.logsIn(way, 'romeo')
  romeo.peer.raw(message('<body>&foo;</body>'))
  t.equal(await romeo.peer.condition(), 'restricted-xml', 'an entity of its own')
  t.ok(await house.answers(juliet))
  t.notOk(juliet.peer.inbox.some((element) => element.is('message')))
})

test('SEC-01: cut anywhere it is the same; over TCP', async (t) => {
  const house = await serve(t)
  const header = `<stream:stream xmlns='jabber:client' ${STREAM} version='1.0' to='${DOMAIN}'>`
  for (const text of Object.values(forbidden)) {
    for (let cut = 1; cut < text.length; cut += 3) {
      const peer = await house.connects('TCP')
      peer.raw(header + text.slice(0, cut))
      await peer.finds('stream')
      peer.raw(text.slice(cut))
      t.equal(await peer.condition(), 'restricted-xml')
    }
  }
})

const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}=''`).join('')
const namespaces = (count: number) =>
  Array.from({ length: count }, (_, i) => ` xmlns:n${i}='urn:${i}'`).join('')

const costly: Record<string, string> = {
  '65 elements': `<x xmlns='urn:x'>${'<a/>'.repeat(64)}</x>`,
  '8 KiB of elements': `<x xmlns='urn:x'>${'<a/>'.repeat(2048)}</x>`,
  'eleven levels': `<x xmlns='urn:x'>${'<a>'.repeat(10)}${'</a>'.repeat(10)}</x>`,
  '65 attributes': `<x xmlns='urn:x'${attributes(64)}/>`,
  '1500 attributes': `<x xmlns='urn:x'${attributes(1500)}/>`,
  '600 namespaces': `<x xmlns='urn:x'${namespaces(600)}/>`,
  'a long name': `<x${'x'.repeat(1024)} xmlns='urn:x'/>`,
  'more than 16 KiB': `<x xmlns='urn:x'>${'x'.repeat(16_384)}</x>`,
}

overBoth('SEC-02: before login little may be sent, in every measure', async (t, way) => {
  const house = await serve(t)
  for (const [what, text] of Object.entries(costly)) {
    const { peer } = await house.stranger(way)
    peer.raw(text)
    t.equal(await peer.condition(), 'policy-violation', what)
  }
})

test('SEC-02: two hundred strangers with half a stanza each cost 30 bytes a byte at most', async (t) => {
  const house = await serve(t)
  const half = `<x xmlns='urn:x'>${"<a b='c'>text</a>".repeat(60)}${'x'.repeat(15_000)}`
  const peers = await Promise.all(
    Array.from({ length: 200 }, async () => (await house.stranger('TCP')).peer),
  )
  const before = held()
  for (const peer of peers) peer.raw(half)
  await until(() => peers.every(({ socket }) => socket.writableLength === 0))
  // The server has read what it was sent when it answers somebody who spoke later.
  const last = await house.stranger('TCP')
  const each = (held() - before) / peers.length
  t.ok(each < 30 * half.length, `${Math.round(each)} bytes for ${half.length}`)
  for (const peer of [...peers, last.peer]) peer.drop()
  await house.emptied()
  t.equal(house.server.streams.size, 0)
})

function held(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

const endless: Record<string, { start: string; filler: string }> = {
  'a start tag': { start: "<message xmlns='jabber:client'", filler: ' ' },
  'an attribute': { start: "<message xmlns='jabber:client' id='", filler: 'x' },
  text: { start: "<message xmlns='jabber:client'>", filler: 'x' },
  CDATA: { start: "<message xmlns='jabber:client'><![CDATA[", filler: 'x' },
}

overBoth('SEC-04: what never ends is cut off at the limit', async (t, way) => {
  const house = await serve(t)
  for (const [what, { start, filler }] of Object.entries(endless)) {
    const { peer } = await house.stranger(way)
    peer.raw(start + filler.repeat(16_384))
    t.equal(await peer.condition(), 'policy-violation', `${what}, before login`)
    const romeo = await house.logsIn(way, 'romeo')
    romeo.peer.raw(start + filler.repeat(262_144))
    t.equal(await romeo.peer.condition(), 'policy-violation', `${what}, after login`)
  }
})

overBoth('SEC-05: nothing is ever unpacked', async (t, way) => {
  const house = await serve(t)
  const { peer, features } = await house.stranger(way)
  t.notMatch(String(features), /compress/i)
  peer.raw("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>")
  t.equal(await peer.condition(), 'unsupported-stanza-type')
  const romeo = await house.logsIn(way, 'romeo')
  romeo.peer.raw(
    "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
  )
  t.equal(await romeo.peer.condition(), 'unsupported-stanza-type', 'nor after login')
  if (way === 'TCP') return
  const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
  const { head } = await ask(house.server.ports.http[0]!, upgradeRequest(offer))
  t.notMatch(head, /extensions/i)
  const web = (await house.connects(way, offer)) as WebPeer
  web.frame('xxxx', { reserved: 0x40 })
  await web.condition()
  t.equal(web.closeCode, 1002)
})

const NO_UTF8 = 1007

/** What is sent in place of a header or after one makes no difference to a message of a WebSocket. */
function textOf({ place, input }: (typeof hostile)[number], way: Way): Buffer {
  const stanza = `<message xmlns='jabber:client' ${STREAM} to='juliet@${DOMAIN}'>${input}</message>`
  const text = way === 'TCP' ? `<message to='juliet@${DOMAIN}'>${input}</message>` : stanza
  return Buffer.from(place === 'stanza' ? text : input, 'latin1')
}

overBoth(
  'SEC-06: nothing of a hostile stanza reaches anybody, and who sent it is gone',
  async (t, way) => {
    const house = await serve(t)
    const juliet = await house.logsIn(way, 'juliet')
    juliet.peer.sends('<presence/>')
    const inputs = hostile.filter(({ place }) => place === 'stanza')
    t.ok(inputs.length >= 150, `${inputs.length} inputs`)
    for (const item of inputs) {
      const romeo = await house.logsIn(way, 'romeo')
      romeo.peer.raw(textOf(item, way))
      const condition = await romeo.peer.condition()
      // RFC 6455 §8.1: a message that is no UTF-8 ends the WebSocket itself.
      if (romeo.peer.closeCode === NO_UTF8) continue
      if (condition !== item.condition)
        t.equal(condition, item.condition, JSON.stringify(item.input))
    }
    t.ok(await house.answers(juliet))
    t.notOk(juliet.peer.inbox.some((element) => element.is('message')))
  },
)

/** Text inside of a message, and the names of the children that it makes. */
const odd: [text: string, children: string[]][] = [
  ["<body>]]&gt;</body><x:y xmlns:x='jabber:client'/>", ['body', 'x:y']],
  ["<x xmlns='urn:a'><y xmlns=''><z xmlns='urn:b'/></y></x>", ['x']],
  ["<p:x xmlns:p='urn:a'><p:y xmlns:p='urn:b' p:z='1'/></p:x>", ['p:x']],
  ['<body><![CDATA[</message><presence/>]]></body>', ['body']],
  ["<x xmlns='urn:a' b='&lt;/message>&#10;&quot;'/>", ['x']],
  ["<stream xmlns='urn:a'/><error xmlns='urn:b'/>", ['stream', 'error']],
  ['<body>\u{1f339} \u00e9 e\u0301 \u2028</body>', ['body']],
]

overBoth(
  'SEC-06: what is delivered is one stanza with the same tree to another parser',
  async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = await Promise.all([
      house.logsIn(way, 'romeo'),
      house.logsIn(way === 'TCP' ? 'WebSocket' : 'TCP', 'juliet'),
    ])
    for (const [at, [text, children]] of odd.entries()) {
      romeo.peer.sends(`<message to='${juliet.jid}' id='${at}'>${text}</message>`)
      const got = await juliet.peer.next()
      t.equal(got?.attrs.id, String(at))
      t.same(
        got?.getChildElements().map(({ name }) => name),
        children,
      )
    }
    t.ok(await house.answers(juliet))
    t.equal(juliet.peer.inbox.length, 0)
  },
)

const noAddress = [
  'a@b@c',
  `@${DOMAIN}`,
  `a b@${DOMAIN}`,
  `romeo@${DOMAIN}/`,
  `\u0378@${DOMAIN}`,
  `\u05d0a\u05d0b@${DOMAIN}`,
  `${'x'.repeat(1024)}@${DOMAIN}`,
  `juliet@${'x'.repeat(64)}.example`,
  `juliet@${DOMAIN}/\u200b\ud7ff\u0007`.replace('\u0007', '\u0080'),
  `<&>"'@${DOMAIN}`,
]

overBoth(
  'SEC-07: an address that is none stays with who wrote it (RFC 6120 §8.3.3.8)',
  async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = await Promise.all([
      house.logsIn(way, 'romeo'),
      house.logsIn(way, 'juliet'),
    ])
    for (const address of noAddress) {
      const quoted = address
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll("'", '&apos;')
      romeo.peer.sends(`<message to='${quoted}' id='odd'><body>?</body></message>`)
      const answer = await romeo.peer.next()
      t.equal(answer && outcomeOf(answer), 'jid-malformed', JSON.stringify(address.slice(0, 40)))
      const asked = await romeo.peer.asks('get', quoted, "<ping xmlns='urn:xmpp:ping'/>")
      t.equal(outcomeOf(asked), 'jid-malformed')
    }
    t.ok(await house.answers(juliet))
    t.equal(juliet.peer.inbox.length, 0)
  },
)

overBoth('SEC-07: half a character by reference is no XML', async (t, way) => {
  const house = await serve(t)
  for (const reference of ['&#xD800;', '&#xDFFF;', '&#xFFFE;', '&#0;', '&#x110000;']) {
    const { peer } = await house.logsIn(way, 'romeo')
    peer.raw(message('', ` id='${reference}'`))
    t.equal(await peer.condition(), 'not-well-formed', reference)
  }
})

const inOneMessage: Record<string, string> = {
  'two elements': '<presence/><presence/>',
  'text outside': 'text<presence/>',
  'a second opening': '',
}

overBoth('SEC-08: one element after the other, and one header', async (t, way) => {
  const house = await serve(t)
  for (const [what, text] of Object.entries(inOneMessage)) {
    const { peer } = await house.logsIn(way, 'romeo')
    if (text === '') peer.raw(peer.header(DOMAIN))
    else if (way === 'TCP' && what === 'two elements') peer.raw('<presence/></presence>')
    else peer.raw(text.replaceAll('<presence', "<presence xmlns='jabber:client'"))
    t.not(await peer.condition(), 'none', what)
  }
})

test('SEC-08: fragments, binary frames and headers without end; over WebSocket', async (t) => {
  const house = await serve(t)
  const pieces = (await house.connects('WebSocket')) as WebPeer
  pieces.frame('<', { final: false })
  for (let i = 0; i < 20; i++) pieces.frame('x', { opcode: 0, final: false })
  await pieces.condition()
  t.equal(pieces.closeCode, 1008)
  const binary = (await house.connects('WebSocket')) as WebPeer
  binary.frame('<x/>', { opcode: BINARY })
  await binary.condition()
  t.equal(binary.closeCode, 1003)
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X-${i}`, '1']))
  const { status } = await ask(house.server.ports.http[0]!, upgradeRequest(many))
  t.equal(status, 431)
  const few = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`X-${i}`, '1']))
  t.equal((await ask(house.server.ports.http[0]!, upgradeRequest(few))).status, 431)
})

overBoth('SEC-09: who renegotiates is cut off', async (t, way) => {
  const house = await serve(t)
  const peer = await house.connectsSecurely(way, { maxVersion: 'TLSv1.2' })
  peer.opens(DOMAIN)
  await peer.finds('features')
  const socket = peer.socket as Awaited<ReturnType<typeof dialTls>>
  t.equal(socket.getProtocol(), 'TLSv1.2')
  socket.renegotiate({}, () => {})
  await gone(socket)
  await house.emptied()
  t.equal(house.server.streams.size, 0)
})

overBoth('SEC-11: a stream is for one host from beginning to end', async (t, way) => {
  const house = await serve(t)
  const after = await house.connects(way)
  after.opens(DOMAIN)
  await after.finds('features')
  await authenticate(after, 'romeo')
  after.opens(OTHER)
  t.equal(await after.condition(), 'host-unknown', 'after SASL')
  const inside = await house.logsIn(way, 'romeo')
  inside.peer.raw(inside.peer.header(OTHER))
  t.not(await inside.peer.condition(), 'none', 'in the middle')
  const other = await house.connects(way)
  other.opens(DOMAIN)
  await other.finds('features')
  await authenticate(other, 'romeo')
  other.opens(DOMAIN, { from: `juliet@${DOMAIN}` })
  t.equal(await other.condition(), 'invalid-from', 'nor is it another’s')
})

overBoth('SEC-11: after SASL2 there is no second header at all (XEP-0388 §2.6)', async (t, way) => {
  const house = await serve(t)
  const { peer } = await house.stranger(way)
  const initial = Buffer.from('\0romeo\0secret of romeo').toString('base64')
  peer.raw(
    `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${initial}</initial-response></authenticate>`,
  )
  await peer.finds('success')
  await peer.finds('features')
  peer.raw(peer.header(OTHER))
  t.not(await peer.condition(), 'none')
})

const required = { host: { encryption: 'required' } } as const

test('SEC-12: what was sent in clear with <starttls/> is not heard after TLS; over TCP', async (t) => {
  const house = await serve(t, required)
  const initial = Buffer.from('\0romeo\0secret of romeo').toString('base64')
  const injected = `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${initial}</auth>`
  const peer = (await house.connects('TCP')) as TcpPeer
  await peer.secures(DOMAIN, { injected })
  peer.opens(DOMAIN)
  t.equal((await peer.next())?.name, 'stream:stream', 'a header and nothing before it')
  t.ok((await peer.finds('features')).getChild('mechanisms'))
  t.equal(peer.inbox.length, 0, 'no <success/>')
  t.notOk([...house.server.streams][0]?.account)
})

overBoth('SEC-12: without TLS there is no login and no registration', async (t, way) => {
  const house = await serve(t, {
    host: { encryption: 'required', registration: 'open' },
    proxies: ['127.0.0.0/8'],
  })
  const initial = Buffer.from('\0romeo\0secret of romeo').toString('base64')
  for (const login of [
    `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${initial}</auth>`,
    `<auth xmlns='${NS_SASL}' mechanism='SCRAM-SHA-256'>biwsbj1yLHI9eA==</auth>`,
    `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${initial}</initial-response></authenticate>`,
  ]) {
    const peer = await house.connectsFrom(way, '192.0.2.1', false)
    peer.opens(DOMAIN)
    const features = await peer.finds('features')
    t.notOk(features.getChild('mechanisms'))
    t.notOk(features.getChild('authentication'))
    if (way === 'TCP') t.ok(features.getChild('starttls')?.getChild('required'))
    peer.raw(login)
    t.not(await peer.condition(), 'none')
  }
  const peer = await house.connectsFrom(way, '192.0.2.1', false)
  peer.opens(DOMAIN)
  t.notOk((await peer.finds('features')).getChild('register'))
  const query =
    "<query xmlns='jabber:iq:register'><username>tybalt</username><password>a good password</password></query>"
  t.equal(outcomeOf(await peer.asks('set', undefined, query)), 'not-authorized')
})

test('SEC-12: direct TLS with ALPN, and nothing in clear on its port (XEP-0368); over TCP', async (t) => {
  const house = await serve(t, required)
  const port = house.server.ports.c2s_tls[0]!
  const socket = await dialTls({ port, servername: DOMAIN, ALPNProtocols: ['xmpp-client'] })
  t.equal(socket.alpnProtocol, 'xmpp-client')
  socket.destroy()
  const clear = connect({ port, host: '127.0.0.1' })
  clear.on('error', () => {})
  clear.write("<?xml version='1.0'?>")
  t.notMatch(await readAll(clear), /<stream/)
})

test('SEC-12: a WebSocket in clear that is no request is nothing; over WebSocket', async (t) => {
  const house = await serve(t, required)
  const clear = connect({ port: house.server.ports.https[0]!, host: '127.0.0.1' })
  clear.on('error', () => {})
  clear.write(upgradeRequest())
  t.notMatch(await readAll(clear), /101/)
  const socket = await dialTls({ port: house.server.ports.https[0]!, servername: DOMAIN })
  socket.write(upgradeRequest())
  t.equal((await readResponse(socket)).status, 101)
  socket.destroy()
})
