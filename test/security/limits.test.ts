// Limits on connections and streams, seen through sockets: they hold exactly, the right error comes,
// and nobody else notices.

import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import type { Element } from '../../lib/xmpp/element.js'
import { upgradeRequest } from '../net/websocket-client.js'
import { ManualClock } from '../world/clock.js'
import { outcomeOf, type Peer, type Way, type WebPeer } from './driver.js'
import { authenticate, bind, DOMAIN, overBoth, type Served, serve } from './served.js'

const NS_LIMITS = 'urn:xmpp:stream-limits:0'

function maxBytes(features: Element): number {
  return Number(features.getChild('limits', NS_LIMITS)?.getChildText('max-bytes'))
}

/** A message of exactly so many bytes on this way. */
function sized(peer: Peer, bytes: number): string {
  const start = peer.way === 'TCP' ? '<message' : "<message xmlns='jabber:client'"
  const frame = `${start} to='juliet@${DOMAIN}/phone' id='sized'><body></body></message>`
  return frame.replace('</body>', `${'x'.repeat(bytes - frame.length)}</body>`)
}

overBoth('LIM-stanza-bytes: as advertised, to the byte (XEP-0478 §3)', async (t, way) => {
  const house = await serve(t)
  const juliet = await house.logsIn(way, 'juliet')
  for (const excess of [0, 1]) {
    const early = await house.stranger(way)
    t.equal(maxBytes(early.features), 16 * 1024)
    early.peer.raw(sized(early.peer, maxBytes(early.features) + excess))
    // Nobody may send a message now (RFC 6120 §4.9.3.12): only the size decides which error it is.
    t.equal(await early.peer.condition(), excess ? 'policy-violation' : 'not-authorized')
    const peer = await house.connects(way)
    peer.opens(DOMAIN)
    await peer.finds('features')
    await authenticate(peer, 'romeo')
    peer.opens(DOMAIN)
    const limit = maxBytes(await peer.finds('features'))
    t.equal(limit, 256 * 1024)
    await bind(peer, 'phone')
    peer.raw(sized(peer, limit + excess))
    if (excess) t.equal(await peer.condition(), 'policy-violation')
    else t.equal((await juliet.peer.finds('message')).attrs.id, 'sized')
  }
  t.ok(await house.answers(juliet))
})

const shapes: Record<string, [fits: string, exceeds: string]> = {
  'LIM-elements': ['<a/>'.repeat(1998), '<a/>'.repeat(1999)],
  'LIM-depth': ['<a>'.repeat(62) + '</a>'.repeat(62), '<a>'.repeat(63) + '</a>'.repeat(63)],
  'LIM-attributes': [`<a${attributes(64)}/>`, `<a${attributes(65)}/>`],
  'LIM-name': [`<${'n'.repeat(1024)}/>`, `<${'n'.repeat(1025)}/>`],
}

function attributes(count: number): string {
  return Array.from({ length: count }, (_, i) => ` a${i}=''`).join('')
}

for (const [name, [fits, exceeds]] of Object.entries(shapes)) {
  overBoth(`${name}: one more is too much`, async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = [await house.logsIn(way, 'romeo'), await house.logsIn(way, 'juliet')]
    const message = (content: string) =>
      `<message to='${juliet.jid}'><x xmlns='urn:x'>${content}</x></message>`
    romeo.peer.sends(message(fits))
    t.ok((await juliet.peer.next())?.is('message'))
    romeo.peer.sends(message(exceeds))
    t.equal(await romeo.peer.condition(), 'policy-violation')
    t.ok(await house.answers(juliet))
    t.equal(juliet.peer.inbox.length, 0)
  })
}

overBoth('LIM-unauthenticated-timeout: 30 seconds to log in, 60 more to bind', async (t, way) => {
  const clock = new ManualClock()
  const house = await serve(t, { clock })
  const silent = await house.connects(way)
  const peer = await house.connects(way)
  await turns(() => house.server.streams.size === 2)
  clock.advance(29_999)
  peer.opens(DOMAIN)
  await peer.finds('features')
  await authenticate(peer, 'romeo')
  clock.advance(1)
  t.equal(await silent.condition(), 'connection-timeout')
  clock.advance(59_998)
  peer.opens(DOMAIN)
  await peer.finds('features')
  clock.advance(1)
  t.equal(await peer.condition(), 'connection-timeout')
  const bound = await house.logsIn(way, 'romeo')
  clock.advance(500_000)
  t.ok(await house.answers(bound), 'who is bound may be silent')
})

async function turns(until: () => boolean): Promise<void> {
  while (!until()) await new Promise((resolve) => setImmediate(resolve))
}

overBoth('LIM-sessions-per-account: twenty', async (t, way) => {
  const house = await serve(t)
  const romeos = []
  for (let i = 0; i < 20; i++) romeos.push(await house.logsIn(way, 'romeo', `device ${i}`))
  const { peer } = await house.stranger(way)
  await authenticate(peer, 'romeo')
  peer.opens(DOMAIN)
  await peer.finds('features')
  const inside = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
  t.equal(outcomeOf(await peer.asks('set', undefined, inside)), 'resource-constraint')
  t.ok(await house.answers(romeos[0]!))
  romeos[7]!.peer.drop()
  await turns(() => house.server.hosts.get(DOMAIN)!.sessions.size === 19)
  t.equal(outcomeOf(await peer.asks('set', undefined, inside)), 'result', 'when one is gone')
})

overBoth(
  'LIM-rate: who sends too fast is read more slowly, and nothing is lost',
  async (t, way) => {
    const clock = new ManualClock()
    const house = await serve(t, { clock, limits: 'default' })
    const [romeo, juliet] = [await house.logsIn(way, 'romeo'), await house.logsIn(way, 'juliet')]
    const began = clock.now()
    const count = 400
    const text = 'x'.repeat(1000)
    for (let i = 0; i < count; i++)
      romeo.peer.sends(`<message to='${juliet.jid}' id='${i}'><body>${text}</body></message>`)
    const { inbox } = juliet.peer
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.ok(inbox.length < count / 2, `${inbox.length} at once`)
    t.ok(await house.answers(juliet), 'nobody else waits')
    while (inbox.length < count) {
      clock.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // 32 KiB/s after 128 KiB, 25/s after 100; what comes in the last read is not waited for.
    t.ok(clock.now() - began > 6000, `${clock.now() - began} ms`)
    t.same(
      inbox.map(({ attrs }) => Number(attrs.id)),
      Array.from({ length: count }, (_, i) => i),
    )
  },
)

const sockets: Socket[] = []

async function opened(house: Served, way: Way, from: string): Promise<Socket | undefined> {
  const { c2s, http } = house.server.ports
  const port = way === 'TCP' ? c2s[0]! : http[0]!
  const socket = createConnection({ port, host: '127.0.0.1', localAddress: from })
  socket.on('error', () => {})
  sockets.push(socket)
  const hello =
    way === 'TCP'
      ? `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='${DOMAIN}'>`
      : upgradeRequest()
  socket.write(hello)
  // Who is sent away after it has said something sees a reset.
  const gone = (): undefined => undefined
  const answer = once(socket, 'data').then(() => socket, gone)
  return Promise.race([answer, once(socket, 'close').then(gone, gone)])
}

overBoth(
  'LIM-connections-per-address: thirty at once, fifty in all, and others as many',
  async (t, way) => {
    const clock = new ManualClock()
    const house = await serve(t, { clock, limits: 'default' })
    const here = '127.0.0.1'
    for (let i = 0; i < 30; i++) t.ok(await opened(house, way, here))
    t.notOk(await opened(house, way, here), 'the thirty-first at once')
    t.ok(await opened(house, way, '127.0.0.2'), 'another address')
    clock.advance(2_000)
    const more = []
    for (let i = 0; i < 20; i++) more.push(await opened(house, way, here))
    clock.advance(2_000)
    t.notOk(await opened(house, way, here), 'the fifty-first')
    more.at(-1)!.destroy()
    const { streams } = house.server
    await turns(() => streams.size === 50)
    t.ok(await opened(house, way, here), 'when one is gone')
    for (const socket of sockets) socket.destroy()
  },
)

overBoth(
  'LIM-write-stall: who does not read is cut off, and nobody else suffers',
  async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = [await house.logsIn(way, 'romeo'), await house.logsIn(way, 'juliet')]
    juliet.peer.socket.pause()
    const { sessions } = house.server.hosts.get(DOMAIN)!
    const text = 'x'.repeat(200_000)
    for (let i = 0; i < 200 && sessions.size === 2; i++) {
      romeo.peer.sends(`<message to='${juliet.jid}' id='${i}'><body>${text}</body></message>`)
      t.ok(await house.answers(romeo))
    }
    t.equal(sessions.size, 1)
    romeo.peer.inbox.length = 0
    const fleeting = `<body>!</body><no-store xmlns='urn:xmpp:hints'/>`
    romeo.peer.sends(`<message to='${juliet.jid}' type='normal' id='late'>${fleeting}</message>`)
    const answer = await romeo.peer.finds('message')
    t.equal(outcomeOf(answer), 'service-unavailable', 'and senders are told of what nobody keeps')
  },
)

test('LIM-websocket-fragments: eight', async (t) => {
  const house = await serve(t)
  for (const count of [8, 9]) {
    const { peer } = await house.logsIn('WebSocket', 'romeo')
    peer.sends('<presence/>')
    await peer.finds('presence')
    const text = `<message xmlns='jabber:client' id='in-pieces'><body>!</body></message>`
    const size = Math.ceil(text.length / count)
    for (let i = 0; i < count; i++) {
      const piece = text.slice(i * size, (i + 1) * size)
      ;(peer as WebPeer).frame(piece, { opcode: i === 0 ? 1 : 0, final: i === count - 1 })
    }
    if (count === 8) t.equal((await peer.finds('message')).attrs.id, 'in-pieces')
    else await peer.condition()
    t.equal(peer.closeCode, count === 8 ? undefined : 1008)
    peer.drop()
  }
})
