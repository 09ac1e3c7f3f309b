// TCP behind a proxy (SEC-69), and limits per address at the port.

import { test } from 'tap'
import { ConnectionLimits } from '../../lib/net/connection-limits.js'
import { TrustedProxies } from '../../lib/net/trusted-proxies.js'
import { Watch } from '../../lib/net/watch.js'
import { ManualClock } from '../world/clock.js'
import { dial, dialTls, gone, meet, openTcp, readAll } from './ports.js'

const loopback = new TrustedProxies(['127.0.0.0/8'])
const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 5222\r\n'

test('the address is the client’s, and what came with the header is the stream’s', async (t) => {
  const port = await openTcp(t, { proxies: loopback })
  for (const pieces of [[`${header}<stream>`], [header, '<stream>'], [...header, '<stream>']]) {
    const arrived = port.next()
    const client = await dial(port.port)
    for (const piece of pieces) {
      client.write(piece)
      await new Promise(setImmediate)
    }
    const server = await arrived
    t.same(server.transport.remote, { address: '203.0.113.9', port: 4711, proxied: true })
    await server.until(() => server.text === '<stream>')
    client.destroy()
  }
})

test('a proxy’s own connection is served, and never counts as loopback', async (t) => {
  const port = await openTcp(t, { proxies: loopback })
  const arrived = port.next()
  const client = await dial(port.port)
  client.write('<stream>')
  const server = await arrived
  t.same(server.transport.remote, { address: '127.0.0.1', port: client.localPort, proxied: true })
  await server.until(() => server.text === '<stream>')
  client.destroy()
})

test('TLS after the header: STARTTLS and direct', async (t) => {
  const port = await openTcp(t, { proxies: loopback, tls: 'direct', alpn: 'xmpp-client' })
  const arrived = port.next()
  const socket = await dial(port.port)
  socket.write(header)
  const client = await dialTls({ socket, servername: 'localhost' })
  client.write('<stream>')
  const server = await arrived
  t.equal(server.transport.remote.address, '203.0.113.9')
  t.same(
    server.transport.tls?.exporter(),
    client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  )
  await server.until(() => server.text === '<stream>')
  client.destroy()
  const starttls = await openTcp(t, { proxies: loopback })
  const second = starttls.next()
  const clear = await dial(starttls.port)
  clear.write(`${header}<starttls/>`)
  const upgraded = await second
  await upgraded.until(() => upgraded.text === '<starttls/>')
  const facts = upgraded.transport.secure()
  const secured = await dialTls({ socket: clear })
  t.equal((await facts).protocol, 'TLSv1.3')
  secured.destroy()
})

test('a header from an address that is not trusted is not read', async (t) => {
  const { client, server } = await meet(
    await openTcp(t, { proxies: new TrustedProxies(['192.0.2.0/24']) }),
  )
  client.write(header)
  await server.until(() => server.text === header)
  t.match(server.transport.remote, { address: '127.0.0.1', proxied: false })
  client.destroy()
})

test('a malformed header ends the connection, and so does none within ten seconds', async (t) => {
  const clock = new ManualClock()
  const watch = new Watch(clock)
  const port = await openTcp(t, { proxies: loopback, watch })
  const wrong = await dial(port.port)
  wrong.write('PROXY TCP4 nonsense\r\n')
  t.equal(await readAll(wrong), '')
  const silent = await dial(port.port)
  silent.write('PROXY ')
  while (watch.size < 2) await new Promise(setImmediate)
  clock.advance(12_000)
  t.equal(await readAll(silent), '')
  t.equal(port.recorders.length, 0)
  t.equal(watch.size, 0)
})

test('LIM-connections-per-address: beyond the limit a connection is closed, others are not affected', async (t) => {
  const limits = new ConnectionLimits({ concurrent: 2 })
  const port = await openTcp(t, { limits, proxies: loopback })
  const open = async (address: string) => {
    const socket = await dial(port.port)
    socket.write(header.replace('203.0.113.9', address))
    return socket
  }
  const clients = []
  for (const address of ['203.0.113.9', '203.0.113.9', '203.0.113.10']) {
    const arrived = port.next()
    clients.push(await open(address))
    await arrived
  }
  t.equal(await readAll(await open('203.0.113.9')), '')
  t.equal(limits.refused.concurrent, 1)
  t.equal(limits.open, 3)
  const [first, ...others] = port.recorders
  clients[0]!.destroy()
  await first!.until(() => first!.ends.length > 0)
  while (limits.open > 2) await new Promise(setImmediate)
  const arrived = port.next()
  clients.push(await open('203.0.113.9'))
  await arrived
  t.ok(others.every((server) => server.ends.length === 0))
  for (const client of clients) client.destroy()
})

test('without proxies limits count the peer, whatever TLS does', async (t) => {
  const limits = new ConnectionLimits({ burst: 3, clock: new ManualClock() })
  const port = await openTcp(t, { limits, tls: 'direct' })
  const sockets = [await dial(port.port), await dial(port.port), await dial(port.port)]
  t.equal(await readAll(await dial(port.port)), '')
  t.equal(limits.refused.rate, 1)
  for (const socket of sockets) {
    socket.resetAndDestroy()
    await gone(socket)
  }
  while (limits.open > 0) await new Promise(setImmediate)
  t.equal(limits.open, 0)
})
