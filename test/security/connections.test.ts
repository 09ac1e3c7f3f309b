// What a connection may not do, through sockets: unpacking, fragments, renegotiation, another host,
// anything in clear.

import { connect } from 'node:net'
import { test } from 'tap'
import { dialTls, gone, readAll } from '../net/ports.js'
import { ask, BINARY, readResponse, upgradeRequest } from '../net/websocket-client.js'
import { outcomeOf, type TcpPeer, type WebPeer } from './driver.js'
import { authenticate, DOMAIN, NS_SASL, OTHER, overBoth, serve } from './served.js'

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
