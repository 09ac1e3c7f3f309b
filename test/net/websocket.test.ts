// WebSocket as a stream sees it (RFC 7395), and what clients may not do.

import { test } from 'tap'
import { ConnectionLimits } from '../../lib/net/connection-limits.js'
import { TrustedProxies } from '../../lib/net/trusted-proxies.js'
import { Watch } from '../../lib/net/watch.js'
import { ManualClock } from '../world/clock.js'
import { dial, dialTls, gone, localCertificates, openHttp, type Port } from './ports.js'
import {
  ask,
  BINARY,
  CLOSE,
  closeCode,
  frame,
  PONG,
  readResponse,
  upgradeRequest,
  WebSocketPeer,
} from './websocket-client.js'

async function meet(port: Port, headers?: Record<string, string>) {
  const arrived = port.next()
  const client = await WebSocketPeer.open(port.port, headers)
  return { client, server: await arrived }
}

test('each message is one element, both ways (RFC 7395 §3)', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  t.equal(server.transport.framing, 'message')
  t.match(server.transport.remote, { address: '127.0.0.1', proxied: false })
  t.equal(server.transport.tls, undefined)
  client.send('<open/>')
  client.send('<message>ö</message>')
  await server.until(() => server.messages.length === 2)
  t.same(
    server.messages.map((text) => Buffer.from(text, 'latin1').toString()),
    ['<open/>', '<message>ö</message>'],
  )
  t.equal(server.text, '', 'no loose bytes')
  for (const length of [4, 125, 126, 65_535, 65_536, 200_000]) {
    server.transport.write('x'.repeat(length))
    t.equal((await client.read())?.text.length, length)
  }
  server.transport.write(Buffer.from('<a>ü</a>').toString('latin1'))
  server.transport.write('<b/>')
  t.equal((await client.read())?.text, '<a>ü</a>')
  t.equal((await client.read())?.text, '<b/>')
  client.socket.destroy()
  await server.until(() => server.ends.length > 0)
})

test('what was written before the close arrives, then the closing handshake (RFC 7395 §3.6)', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  server.transport.write('<close/>')
  server.transport.close()
  server.transport.write('<late/>')
  t.equal((await client.read())?.text, '<close/>')
  t.equal(closeCode(await client.read()), 1000)
  client.socket.write(frame(Buffer.from([3, 0xe8]), 0x88))
  await server.until(() => server.ends.length > 0)
  t.same(server.ends, [undefined])
})

test('a client that closes is gone once, and nothing follows its closing frame', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  client.socket.write(frame(Buffer.from([3, 0xe8]), 0x88))
  t.equal(closeCode(await client.read()), 1000)
  server.transport.write('<late/>')
  await server.until(() => server.ends.length > 0)
  t.equal(await client.read(), undefined)
  t.equal(server.ends.length, 1)
})

test('a client that does not answer the closing frame is cut off', async (t) => {
  const clock = new ManualClock()
  const { client, server } = await meet(await openHttp(t, { watch: new Watch(clock) }))
  server.transport.close()
  t.equal((await client.read())?.opcode, CLOSE)
  clock.advance(8_000)
  await server.until(() => server.ends.length > 0)
  t.equal(await client.read(), undefined)
})

test('the subprotocol is wanted (RFC 7395 §3.1), so are path and version', async (t) => {
  const { port } = await openHttp(t)
  t.match((await ask(port, upgradeRequest({ 'Sec-WebSocket-Protocol': '' }))).status, 400)
  t.match((await ask(port, upgradeRequest({ 'Sec-WebSocket-Protocol': 'soap, mqtt' }))).status, 400)
  t.match((await ask(port, upgradeRequest({}, '/elsewhere'))).status, 404)
  t.match((await ask(port, upgradeRequest({}, '/xmpp/../xmpp'))).status, 400)
  t.match((await ask(port, upgradeRequest({ 'Sec-WebSocket-Version': '7' }))).status, 400)
  const { status, head } = await ask(
    port,
    upgradeRequest({ 'Sec-WebSocket-Protocol': 'soap, xmpp' }),
  )
  t.equal(status, 101)
  t.match(head, /sec-websocket-protocol: xmpp\r?$/im)
})

test('origins are checked where they are configured', async (t) => {
  const { port } = await openHttp(t, { webSocketOrigins: ['https://chat.example'] })
  t.equal((await ask(port, upgradeRequest({ Origin: 'https://evil.example' }))).status, 403)
  t.equal((await ask(port, upgradeRequest({ Origin: 'https://chat.example' }))).status, 101)
  t.equal((await ask(port, upgradeRequest())).status, 101, 'no browser, no origin')
})

test('binary messages are refused (RFC 7395 §3.2)', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  client.send('<open/>', { opcode: BINARY })
  t.equal(closeCode(await client.read()), 1003)
  t.same(server.messages, [])
  client.socket.destroy()
})

test('SEC-05: compression is never accepted, compressed frames end the connection', async (t) => {
  const port = await openHttp(t)
  const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
  t.notMatch((await ask(port.port, upgradeRequest(offer))).head, /sec-websocket-extensions/i)
  const { client, server } = await meet(port, offer)
  client.send('xxxx', { reserved: 0x40 })
  t.equal(closeCode(await client.read()), 1002)
  t.same(server.messages, [])
})

test('SEC-08: eight fragments are enough for everybody', async (t) => {
  for (const count of [8, 9, 2000]) {
    const { client, server } = await meet(await openHttp(t))
    const pieces = Array.from({ length: count }, (_, i) =>
      frame(Buffer.from('x'), (i === 0 ? 1 : 0) | (i === count - 1 ? 0x80 : 0)),
    )
    client.socket.write(Buffer.concat(pieces))
    if (count === 8) {
      await server.until(() => server.messages.length === 1)
      t.same(server.messages, ['xxxxxxxx'])
      client.socket.destroy()
    } else {
      t.equal(closeCode(await client.read()), 1008, `${count} fragments`)
      t.same(server.messages, [])
    }
  }
})

test('SEC-08: messages over the limit and text that is no UTF-8 end the connection', async (t) => {
  const port = await openHttp(t)
  const large = await meet(port)
  large.client.socket.write(frame(Buffer.alloc(257 * 1024 + 1, 120), 0x81))
  t.equal(closeCode(await large.client.read()), 1009)
  const wrong = await meet(port)
  wrong.client.socket.write(frame(Buffer.from([0xc0, 0xaf]), 0x81))
  t.equal(closeCode(await wrong.client.read()), 1007)
  await wrong.server.until(() => wrong.server.ends.length > 0)
  t.ok(wrong.server.ends[0] instanceof Error)
  const fits = await meet(port)
  fits.client.send('x'.repeat(257 * 1024))
  await fits.server.until(() => fits.server.messages.length === 1)
  fits.client.socket.destroy()
})

test('SEC-08: two thousand headers are too many', async (t) => {
  const { port } = await openHttp(t)
  const headers = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`a${i}`, '1']))
  t.equal((await ask(port, upgradeRequest(headers))).status, 431)
  const short = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`a${i}`, '1']))
  t.equal((await ask(port, upgradeRequest(short))).status, 431)
})

test('who does not answer a ping is gone (LIM-websocket-ping)', async (t) => {
  const clock = new ManualClock()
  const port = await openHttp(t, { clock })
  const { client, server } = await meet(port)
  clock.advance(30_000)
  t.equal((await client.read())?.opcode, 9)
  client.socket.write(frame(Buffer.alloc(0), 0x80 | PONG))
  client.send('<after/>')
  await server.until(() => server.messages.length === 1)
  clock.advance(30_000)
  t.equal((await client.read())?.opcode, 9)
  clock.advance(30_000)
  await server.until(() => server.ends.length > 0)
  t.match(server.ends[0]?.message, /ping/)
  t.equal(await client.read(), undefined)
})

test('a paused transport hands over nothing, also of what came in one segment', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  const message = server.message.bind(server)
  server.message = (chunk) => {
    message(chunk)
    if (server.messages.length === 2) server.transport.pause()
  }
  client.socket.write(
    Buffer.concat(['a', 'b', 'c', 'd'].map((text) => frame(Buffer.from(text), 0x81))),
  )
  await server.until(() => server.messages.length === 2)
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  t.same(server.messages, ['a', 'b'])
  server.transport.resume()
  client.send('e')
  await server.until(() => server.messages.length === 5)
  t.same(server.messages, ['a', 'b', 'c', 'd', 'e'])
  client.socket.destroy()
})

test('LIM-write-stall: a WebSocket that is not read is cut off', async (t) => {
  const { client, server } = await meet(await openHttp(t))
  client.socket.pause()
  let turns = 0
  while (server.ends.length === 0 && turns++ < 200) {
    server.transport.write('x'.repeat(256 * 1024))
    await new Promise(setImmediate)
  }
  t.match(server.ends[0]?.message, /does not read/)
  client.socket.destroy()
})

test('over HTTPS the transport knows TLS and its bindings', async (t) => {
  const port = await openHttp(t, { certificates: await localCertificates(t) })
  const arrived = port.next()
  const tls = await dialTls({ port: port.port, servername: 'localhost' })
  const client = await WebSocketPeer.on(tls)
  const { transport } = await arrived
  t.equal(transport.tls?.protocol, 'TLSv1.3')
  t.same(
    transport.tls?.exporter(),
    tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  )
  await t.rejects(transport.secure())
  transport.write('<open/>')
  t.equal((await client.read())?.text, '<open/>')
  tls.destroy()
})

test('SEC-69: behind a trusted proxy the address is the client’s, elsewhere the header is ignored', async (t) => {
  const headers = { 'X-Forwarded-For': '6.6.6.6, 203.0.113.9', 'X-Forwarded-Proto': 'https' }
  const spoofed = await meet(await openHttp(t), headers)
  t.match(spoofed.server.transport.remote, { address: '127.0.0.1', proxied: false })
  t.equal(spoofed.server.transport.tls, undefined)
  const limits = new ConnectionLimits({ concurrent: 1 })
  const port = await openHttp(t, { limits, proxies: new TrustedProxies(['127.0.0.1']) })
  const { client, server } = await meet(port, headers)
  t.same(server.transport.remote, { address: '203.0.113.9', port: 0, proxied: true })
  t.equal(server.transport.tls?.exporter(), undefined)
  t.ok(server.transport.tls, 'the proxy says that it had TLS')
  t.equal((await ask(port.port, upgradeRequest(headers))).status, 429, 'limits count the client')
  t.equal((await ask(port.port, upgradeRequest({ 'X-Forwarded-For': '203.0.113.10' }))).status, 101)
  for (const one of [client, spoofed.client]) one.socket.destroy()
  await server.until(() => server.ends.length > 0)
  while (limits.open > 0) await new Promise(setImmediate)
  t.equal(limits.open, 0)
})

test('SEC-69: PROXY headers come before HTTP', async (t) => {
  for (const certificates of [undefined, await localCertificates(t)]) {
    const proxies = new TrustedProxies(['127.0.0.0/8'])
    const port = await openHttp(t, { proxies, ...(certificates ? { certificates } : {}) })
    const arrived = port.next()
    const socket = await dial(port.port)
    const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'
    if (!certificates) {
      socket.write(header + upgradeRequest())
      t.equal((await readResponse(socket)).status, 101)
    } else {
      socket.write(header)
      await WebSocketPeer.on(await dialTls({ socket }))
    }
    t.same((await arrived).transport.remote, { address: '203.0.113.9', port: 4711, proxied: true })
    socket.destroy()
  }
})

test('SEC-03: sockets that upgrade halfway leave nothing behind', async (t) => {
  const clock = new ManualClock()
  const limits = new ConnectionLimits({ rate: 1e6, burst: 1e6, clock })
  const watch = new Watch(clock)
  const port = await openHttp(t, { limits, watch, clock })
  const starts = [
    '',
    'GET /xm',
    upgradeRequest(),
    `${upgradeRequest()}\x81\xff`,
    '\0\0\r\n\r\n',
    'PROXY TCP4 ',
  ]
  for (let round = 0; round < 30; round++) {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        garbage(port.port, starts[i % starts.length]!, i % 2 === 0),
      ),
    )
  }
  while (limits.open > 0) await new Promise(setImmediate)
  await Promise.all(port.recorders.map((server) => server.until(() => server.ends.length > 0)))
  clock.advance(60_000)
  t.equal(watch.size, 0)
  t.equal(clock.waiting, 0)
  t.ok(port.recorders.length > 100)
})

async function garbage(port: number, text: string, politely: boolean): Promise<void> {
  const socket = await dial(port)
  socket.resume()
  if (text !== '') await new Promise((resolve) => socket.write(text, 'latin1', resolve))
  if (politely) socket.end()
  else socket.destroy()
  await gone(socket)
}
