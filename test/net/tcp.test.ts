// TCP as a stream sees it, in clear: what comes and goes, ends, back-pressure, readers that stall.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'tap'
import type { Transport } from '../../lib/net/transport.js'
import { Watch } from '../../lib/net/watch.js'
import { ManualClock } from '../world/clock.js'
import { dial, gone, meet, openTcp, readAll, readUntil } from './ports.js'

function socketOf(transport: Transport): Socket {
  return (transport as unknown as { socket: Socket }).socket
}

test('bytes come and go, and wire text goes out byte for byte', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  client.write(Buffer.from('<message>ö</message>'))
  await server.until(() => server.text.endsWith('</message>'))
  t.equal(Buffer.from(server.text, 'latin1').toString(), '<message>ö</message>')
  server.transport.write(Buffer.from('<iq>ü</iq>').toString('latin1'))
  t.equal(await readUntil(client, '</iq>'), '<iq>ü</iq>')
  t.same(server.transport.remote, { address: '127.0.0.1', port: client.localPort, proxied: false })
  t.equal(server.transport.tls, undefined)
  client.destroy()
})

test('everything written in one turn leaves in one write', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  const socket = socketOf(server.transport)
  let writes = 0
  const write = socket.write
  socket.write = function (this: Socket, ...given: unknown[]) {
    writes++
    return Reflect.apply(write, this, given)
  } as typeof write
  for (let i = 0; i < 100; i++) server.transport.write(`<r n='${i}'/>`)
  await readUntil(client, "<r n='99'/>")
  t.equal(writes, 1)
  client.destroy()
})

test('what was written before the close still arrives; the end is told once', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  server.transport.write('x'.repeat(500_000))
  server.transport.write('</stream:stream>')
  server.transport.close()
  server.transport.write('too late')
  const text = await readAll(client)
  t.equal(text.length, 500_016)
  t.ok(text.endsWith('</stream:stream>'))
  await server.until(() => server.ends.length > 0)
  server.transport.destroy()
  server.transport.close()
  t.same(server.ends, [undefined])
})

test('a peer that ends its side gets the answers that are already written', async (t) => {
  const port = await openTcp(t)
  const { client, server } = await meet(port)
  client.end('</stream:stream>')
  await server.until(() => server.text !== '')
  server.transport.write('</stream:stream>')
  t.equal(await readAll(client), '</stream:stream>')
  await server.until(() => server.ends.length > 0)
  t.same(server.ends, [undefined])
})

test('a connection that is reset says why', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  client.resetAndDestroy()
  await server.until(() => server.ends.length > 0)
  t.match(server.ends[0], { code: 'ECONNRESET' })
  t.equal(server.ends.length, 1)
})

test('a peer that does not end after us is cut off', async (t) => {
  const clock = new ManualClock()
  const port = await openTcp(t, { watch: new Watch(clock) })
  const { client, server } = await meet(port)
  client.pause()
  server.transport.close()
  clock.advance(4_000)
  t.equal(server.ends.length, 0)
  clock.advance(4_000)
  await server.until(() => server.ends.length > 0)
  t.equal(clock.waiting, 0, 'no timer is left')
  client.destroy()
})

test('a paused transport hands over nothing, and the peer feels it', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  server.transport.pause()
  const block = Buffer.alloc(1024 * 1024, 120)
  let sent = 0
  while (client.writableLength < 4 * block.length) {
    client.write(block)
    sent += block.length
    await new Promise(setImmediate)
    if (sent > 64 * block.length) break
  }
  t.ok(sent <= 64 * block.length, 'the kernel takes no more')
  t.equal(server.text, '')
  server.transport.resume()
  await server.until(() => server.text.length === sent)
  client.destroy()
})

test('LIM-write-stall: more than a mebibyte that nobody takes', async (t) => {
  const { client, server } = await meet(await openTcp(t))
  client.pause()
  const block = 'x'.repeat(256 * 1024)
  let turns = 0
  while (server.ends.length === 0 && turns++ < 200) {
    server.transport.write(block)
    await new Promise(setImmediate)
    t.ok(server.transport.buffered <= 1024 * 1024 + block.length, 'bounded')
  }
  t.match(server.ends[0]?.message, /does not read/)
  client.destroy()
})

test('LIM-write-stall: nothing taken for thirty seconds', async (t) => {
  const clock = new ManualClock()
  const stall = { bytes: 64 * 1024 * 1024, ms: 30_000 }
  const { client, server } = await meet(await openTcp(t, { watch: new Watch(clock), stall }))
  client.pause()
  while (server.transport.buffered === 0) {
    server.transport.write('x'.repeat(1024 * 1024))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  clock.advance(29_000)
  await new Promise(setImmediate)
  t.equal(server.ends.length, 0)
  clock.advance(4_000)
  await server.until(() => server.ends.length > 0)
  t.match(server.ends[0]?.message, /does not read/)
  client.destroy()
})

test('a slow reader that takes something now and then is left alone and told when it has caught up', async (t) => {
  const clock = new ManualClock()
  const { client, server } = await meet(await openTcp(t, { watch: new Watch(clock) }))
  const size = 48 * 1024 * 1024
  client.pause()
  server.transport.write('x'.repeat(size))
  await new Promise(setImmediate)
  let received = 0
  let wanted = 0
  client.on('data', (chunk) => {
    received += chunk.length
    if (received >= wanted) client.pause()
  })
  while (received < size) {
    wanted = Math.min(size, received + 4 * 1024 * 1024)
    client.resume()
    while (received < wanted) await once(client, 'data')
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    clock.advance(20_000)
    if (server.ends.length > 0) break
  }
  t.equal(received, size)
  t.equal(server.ends.length, 0)
  await server.until(() => server.drains > 0)
  t.equal(server.transport.buffered, 0)
  client.destroy()
})

test('SEC-03: whoever connects, sends garbage and goes leaves nothing behind', async (t) => {
  const clock = new ManualClock()
  const watch = new Watch(clock)
  const port = await openTcp(t, { watch })
  const direct = await openTcp(t, { watch, tls: 'direct', alpn: 'xmpp-client' })
  const handles = () =>
    process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length
  const before = handles()
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 25 }, (_, i) => garbage(port.port, i)))
    await Promise.all(Array.from({ length: 25 }, (_, i) => garbage(direct.port, i)))
  }
  await Promise.all(port.recorders.map((server) => server.until(() => server.ends.length > 0)))
  await new Promise(setImmediate)
  clock.advance(20_000)
  t.equal(port.recorders.length, 1000)
  t.equal(direct.recorders.length, 0)
  t.equal(watch.size, 0)
  t.ok(handles() <= before, `${handles()} handles, ${before} before`)
})

const garbageKinds = ['', '\0\0\0', '<stream:stream', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00']

async function garbage(port: number, kind: number): Promise<void> {
  const socket = await dial(port)
  const text = garbageKinds[kind % garbageKinds.length]!
  if (text !== '') socket.write(text, 'latin1')
  if (kind % 2) socket.end()
  else socket.destroy()
  await gone(socket)
}
