// TLS over TCP: STARTTLS, direct TLS, channel bindings, client certificates, and what is refused.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { SecureVersion, TLSSocket } from 'node:tls'
import { test } from 'tap'
import { Certificates } from '../../lib/net/certificate-store.js'
import { selfSigned, selfSignedFiles } from '../../lib/net/certificates.js'
import type { TlsFacts } from '../../lib/net/transport.js'
import { Watch } from '../../lib/net/watch.js'
import { ManualClock } from '../world/clock.js'
import { dial, dialTls, meet, openTcp, type Port, readUntil } from './ports.js'

async function upgrade(port: Port, version: SecureVersion = 'TLSv1.3') {
  const { client, server } = await meet(port)
  client.write('<starttls/>')
  await server.until(() => server.text === '<starttls/>')
  server.transport.write('<proceed/>')
  const secured = server.transport.secure()
  await readUntil(client, '<proceed/>')
  const tls = await dialTls({ socket: client, servername: 'localhost', maxVersion: version })
  return { client: tls, server, facts: await secured }
}

function bindingOf(client: TLSSocket): Buffer {
  return client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

function endPointOf(client: TLSSocket): Buffer {
  return createHash('sha256').update(client.getPeerX509Certificate()!.raw).digest()
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version} after STARTTLS, with the bindings that the client sees (RFC 9266, RFC 5929 §4)`, async (t) => {
    const { client, server, facts } = await upgrade(await openTcp(t), version)
    t.equal(facts, server.transport.tls)
    t.equal(facts.protocol, version)
    t.match(facts.cipher, /GCM|CHACHA20/)
    t.equal(facts.serverName, 'localhost')
    t.equal(facts.alpn, undefined)
    t.equal(facts.peer, undefined)
    t.ok(facts.hasExporter)
    t.same(facts.exporter(), bindingOf(client))
    t.same(facts.endPoint(), endPointOf(client))
    client.write('<after/>')
    await server.until(() => server.text.endsWith('<after/>'))
    server.transport.write('<answer/>')
    t.equal(await readUntil(client, '<answer/>'), '<answer/>')
    client.end()
    await server.until(() => server.ends.length > 0)
    t.same(server.ends, [undefined])
    server.transport.destroy()
    t.notOk(facts.hasExporter)
    t.equal(facts.exporter(), undefined, 'a connection that is gone binds nothing')
    t.equal(facts.endPoint(), undefined)
  })
}

test('SEC-12: what came in the same segment as <starttls/> never reaches the stream (RFC 6120 §5.4.3.3)', async (t) => {
  const port = await openTcp(t)
  const { client, server } = await meet(port)
  let secured: Promise<TlsFacts> | undefined
  const bytes = server.bytes.bind(server)
  // As the stream does: it asks for TLS in the middle of a chunk, of which it takes no more.
  server.bytes = (chunk) => {
    bytes(chunk.subarray(0, '<starttls/>'.length))
    server.transport.write('<proceed/>')
    secured = server.transport.secure()
  }
  client.write("<starttls/><auth mechanism='PLAIN'>AGp1bGlldAByMG0zMA==</auth>")
  await readUntil(client, '<proceed/>')
  server.bytes = bytes
  const tls = await dialTls({ socket: client, servername: 'localhost' })
  await secured
  tls.write('<stream/>')
  await server.until(() => server.text.endsWith('<stream/>'))
  t.equal(server.text, '<starttls/><stream/>')
  tls.destroy()
})

test('SEC-12: what comes in clear after <proceed/> breaks the handshake and reaches nobody', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  client.write('<starttls/>')
  await server.until(() => server.text !== '')
  const secured = server.transport.secure()
  client.write('<iq type="set" id="injected"/>')
  await t.rejects(secured)
  t.equal(server.text, '<starttls/>')
  t.equal(server.ends.length, 1)
  client.destroy()
})

test('nothing written before or during the handshake is lost', async (t) => {
  const port = await openTcp(t)
  const { client, server } = await meet(port)
  client.pause()
  const much = 'x'.repeat(8 * 1024 * 1024)
  server.transport.write(`${much}<proceed/>`)
  const secured = server.transport.secure()
  server.transport.write('<features/>')
  await new Promise(setImmediate)
  server.transport.write('<more/>')
  client.resume()
  t.equal((await readUntil(client, '<proceed/>')).length, much.length + 10)
  const tls = await dialTls({ socket: client, servername: 'localhost' })
  t.equal(await readUntil(tls, '<more/>'), '<features/><more/>')
  await secured
  tls.destroy()
})

test('a second STARTTLS is refused', async (t) => {
  const { client, server } = await upgrade(await openTcp(t))
  await t.rejects(server.transport.secure())
  client.destroy()
})

test('direct TLS with ALPN hands over a secured transport (XEP-0368)', async (t) => {
  const port = await openTcp(t, { tls: 'direct', alpn: 'xmpp-client' })
  const arrived = port.next()
  const client = await dialTls({
    port: port.port,
    servername: 'localhost',
    ALPNProtocols: ['xmpp-client'],
  })
  const server = await arrived
  t.equal(client.alpnProtocol, 'xmpp-client')
  t.equal(server.transport.tls?.alpn, 'xmpp-client')
  client.write('hello')
  await server.until(() => server.text === 'hello')
  server.transport.close()
  await once(client.resume(), 'end')
})

test('direct TLS without ALPN is served, with another protocol only it is refused', async (t) => {
  const port = await openTcp(t, { tls: 'direct', alpn: 'xmpp-server' })
  const arrived = port.next()
  const client = await dialTls({ port: port.port })
  t.equal((await arrived).transport.tls?.alpn, undefined)
  client.destroy()
  await t.rejects(dialTls({ port: port.port, ALPNProtocols: ['h2'] }))
  t.equal(port.recorders.length, 1)
})

test('old versions and ciphers without forward secrecy are refused', async (t) => {
  const port = await openTcp(t, { tls: 'direct' })
  const weak = [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
  ] as const
  for (const options of weak) await t.rejects(dialTls({ port: port.port, ...options }))
  t.equal(port.recorders.length, 0)
})

test('SEC-09: a client that renegotiates is cut off', async (t) => {
  const { client, server } = await upgrade(await openTcp(t), 'TLSv1.2')
  client.renegotiate({}, () => {})
  await server.until(() => server.ends.length > 0)
  t.match(server.ends[0], { code: 'ERR_TLS_RENEGOTIATION_DISABLED' })
})

test('a handshake that is not done after ten seconds is cut off (LIM-tls-handshake)', async (t) => {
  const clock = new ManualClock()
  const watch = new Watch(clock)
  const direct = await openTcp(t, { tls: 'direct', watch })
  const silent = await dial(direct.port)
  const { client, server } = await meet(await openTcp(t, { watch }))
  client.write('<starttls/>')
  await server.until(() => server.text !== '')
  const secured = server.transport.secure()
  while (watch.size < 2) await new Promise(setImmediate)
  clock.advance(9_000)
  await new Promise(setImmediate)
  t.equal(silent.closed, false)
  t.equal(server.ends.length, 0)
  clock.advance(3_000)
  await t.rejects(secured)
  t.match(server.ends[0]?.message, /timed out/)
  if (!silent.closed) await once(silent.resume(), 'close')
  t.equal(watch.size, 0)
})

test('a client that shows a certificate is known by it, trusted only with a chain', async (t) => {
  const mine = selfSigned(['montague.example'])
  const files = await selfSignedFiles(t.testdir(), ['localhost'])
  for (const trusted of [true, false]) {
    const certificates = new Certificates(trusted ? { ca: [mine.certificate] } : {})
    await certificates.add('localhost', files)
    const port = await openTcp(t, { tls: 'direct', requestClientCertificate: true, certificates })
    const arrived = port.next()
    const client = await dialTls({ port: port.port, cert: mine.certificate, key: mine.key })
    const peer = (await arrived).transport.tls?.peer
    t.equal(peer?.trusted, trusted)
    t.match(peer?.certificate.subject, 'CN=montague.example')
    certificates.close()
    client.destroy()
  }
})

test('writes of one turn are one TLS record', async (t) => {
  const { client, server } = await upgrade(await openTcp(t))
  const chunks: string[] = []
  client.on('data', (chunk) => chunks.push(String(chunk)))
  for (let i = 0; i < 50; i++) server.transport.write(`<r n='${i}'/>`)
  while (!chunks.join('').endsWith("<r n='49'/>")) await once(client, 'data')
  t.equal(chunks.length, 1)
  client.destroy()
})
