// Who is who: addresses in one form, limits per address, trusted proxies and their headers.

import { test } from 'tap'
import { networkOf, plainAddress } from '../../lib/net/addresses.js'
import { ConnectionLimits } from '../../lib/net/connection-limits.js'
import { readProxyHeader } from '../../lib/net/proxy-protocol.js'
import { TrustedProxies } from '../../lib/net/trusted-proxies.js'
import { ConfigError } from '../../lib/xmpp/errors.js'
import { ManualClock } from '../world/clock.js'

test('addresses have one form, networks are what one customer has', (t) => {
  t.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
  t.equal(plainAddress('2001:DB8::A'), '2001:db8::a')
  for (const none of [undefined, '', 'romeo', '192.0.2', '1.2.3.4.5', '::ffff:999.1.1.1x']) {
    t.equal(plainAddress(none), undefined, String(none))
  }
  t.equal(networkOf('192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(networkOf('2001:0db8:0000:0000:ffff::9'), '2001:db8:0:0::/64')
  t.equal(networkOf('2001:db8:0:1::1'), '2001:db8:0:1::/64')
  t.equal(networkOf('::1'), '0:0:0:0::/64')
  t.end()
})

test('LIM-connections-per-address: fifty at once, for one address or one /64', (t) => {
  const limits = new ConnectionLimits({ rate: 1000, burst: 1000, clock: new ManualClock() })
  for (let i = 0; i < 50; i++) t.ok(limits.admit(`2001:db8::${i.toString(16)}`))
  t.notOk(limits.admit('2001:db8::ffff'))
  t.ok(limits.admit('2001:db8:0:1::1'), 'somebody else is not affected')
  limits.release('2001:db8::1')
  t.ok(limits.admit('2001:db8::ffff'))
  t.same(limits.refused, { concurrent: 1, rate: 0, total: 0 })
  t.end()
})

test('LIM-connections-per-address: ten a second after a burst of thirty', (t) => {
  const clock = new ManualClock()
  const limits = new ConnectionLimits({ clock })
  const attempts = (count: number): number => {
    let admitted = 0
    for (let i = 0; i < count; i++) {
      if (!limits.admit('192.0.2.1')) continue
      admitted++
      limits.release('192.0.2.1')
    }
    return admitted
  }
  t.equal(attempts(100), 30)
  clock.advance(1_000)
  t.equal(attempts(100), 10)
  clock.advance(60_000)
  t.equal(attempts(100), 30)
  t.equal(limits.open, 0)
  t.end()
})

test('all connections together have a limit, and some addresses have no other', (t) => {
  const limits = new ConnectionLimits({ total: 100, exempt: (address) => address === '192.0.2.1' })
  for (let i = 0; i < 100; i++) t.ok(limits.admit('192.0.2.1'))
  t.notOk(limits.admit('192.0.2.1'))
  t.notOk(limits.admit('192.0.2.2'))
  t.equal(limits.refused.total, 2)
  t.ok(new ConnectionLimits().total > 100)
  t.end()
})

test('strangers cannot fill the memory of addresses', (t) => {
  const clock = new ManualClock()
  const limits = new ConnectionLimits({ remembered: 1000, total: 1e6, clock })
  t.ok(limits.admit('198.51.100.1'))
  for (let i = 0; i < 5000; i++) {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    t.ok(limits.admit(address))
    limits.release(address)
    t.ok(limits.size <= 1000)
  }
  for (let i = 1; i < 30; i++) limits.admit('198.51.100.1')
  t.notOk(limits.admit('198.51.100.1'), 'who is connected is not forgotten')
  t.end()
})

test('networks of proxies are addresses with or without bits', (t) => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])
  for (const trusted of ['10.1.2.3', '192.0.2.1', '2001:db8:ffff::1'])
    t.ok(proxies.trusts(trusted), trusted)
  for (const other of ['11.0.0.1', '192.0.2.2', '2001:db9::1', '127.0.0.1'])
    t.notOk(proxies.trusts(other), other)
  t.notOk(new TrustedProxies().trusts('127.0.0.1'))
  for (const wrong of [
    'romeo',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '',
  ]) {
    t.throws(() => new TrustedProxies([wrong]), ConfigError, wrong)
  }
  t.end()
})

test('SEC-69: X-Forwarded-For is read from the right, as far as the hops are ours', (t) => {
  const proxies = new TrustedProxies(['10.0.0.0/8'])
  t.equal(proxies.clientOf('203.0.113.9', '10.0.0.1'), '203.0.113.9')
  t.equal(proxies.clientOf('6.6.6.6, 203.0.113.9, 10.0.0.2', '10.0.0.1'), '203.0.113.9')
  t.equal(
    proxies.clientOf('6.6.6.6', '198.51.100.1'),
    '198.51.100.1',
    'a stranger may say what it likes',
  )
  t.equal(proxies.clientOf(undefined, '10.0.0.1'), '10.0.0.1')
  t.equal(proxies.clientOf('203.0.113.9:4711', '10.0.0.1'), '203.0.113.9')
  t.equal(proxies.clientOf('[2001:db8::5]:4711', '10.0.0.1'), '2001:db8::5')
  t.equal(
    proxies.clientOf('6.6.6.6, unknown', '10.0.0.1'),
    '10.0.0.1',
    'nothing behind a gap is believed',
  )
  t.end()
})

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const signature = '\r\n\r\n\0\r\nQUIT\n'

function version2(command: number, family: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length)
  return Buffer.concat([bytes(signature), Buffer.from([command, family]), length, body])
}

test('PROXY version 1', (t) => {
  const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 5222\r\n'
  t.same(readProxyHeader(bytes(`${header}<stream`)), {
    length: header.length,
    source: { address: '203.0.113.9', port: 4711 },
    tls: undefined,
  })
  for (let i = 1; i < header.length; i++)
    t.equal(readProxyHeader(bytes(header.slice(0, i))), 'partial')
  t.match(readProxyHeader(bytes('PROXY TCP6 2001:DB8::9 ::1 1 2\r\n')), {
    source: { address: '2001:db8::9' },
  })
  t.match(readProxyHeader(bytes('PROXY UNKNOWN\r\n')), { length: 15, source: undefined })
  t.match(readProxyHeader(bytes('<stream:stream')), { length: 0, source: undefined })
  t.end()
})

test('PROXY version 1 that is malformed', (t) => {
  for (const header of [
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711\r\n',
    'PROXY TCP4 203.0.113.999 192.0.2.1 4711 5222\r\n',
    'PROXY TCP4 2001:db8::9 ::1 4711 5222\r\n',
    'PROXY TCP4 203.0.113.9 192.0.2.1 65536 5222\r\n',
    'PROXY TCP4 203.0.113.9 192.0.2.1 04711 5222\r\n',
    'PROXY TCP4 203.0.113.9 192.0.2.1 4711 5222 more\r\n',
    'PROXY UDP4 203.0.113.9 192.0.2.1 4711 5222\r\n',
    'PROXY \r\n',
    `PROXY TCP4 ${' '.repeat(200)}`,
  ]) {
    t.equal(readProxyHeader(bytes(header)), 'malformed', header)
  }
  t.end()
})

test('PROXY version 2', (t) => {
  const four = Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 0x14, 0x66])
  const header = version2(0x21, 0x11, four)
  t.match(readProxyHeader(header), {
    length: 28,
    source: { address: '203.0.113.9', port: 4711 },
    tls: undefined,
  })
  for (let i = 1; i < header.length; i++) t.equal(readProxyHeader(header.subarray(0, i)), 'partial')
  const six = Buffer.alloc(36)
  six.set([0x20, 0x01, 0x0d, 0xb8], 0)
  six[15] = 9
  t.match(readProxyHeader(version2(0x21, 0x21, six)), {
    source: { address: '2001:db8:0:0:0:0:0:9' },
  })
  t.match(
    readProxyHeader(version2(0x20, 0, Buffer.alloc(0))),
    { length: 16, source: undefined },
    'LOCAL',
  )
  t.match(readProxyHeader(version2(0x21, 0x31, Buffer.alloc(216))), { source: undefined }, 'unix')
  const unknown = Buffer.concat([four, Buffer.from([0xee, 0, 2, 1, 2])])
  t.match(
    readProxyHeader(version2(0x21, 0x11, unknown)),
    { source: { port: 4711 } },
    'extras of unknown meaning',
  )
  const ssl = Buffer.concat([
    Buffer.from([0x20, 0, 15, 1, 0, 0, 0, 0, 0x21, 0, 7]),
    bytes('TLSv1.3'),
  ])
  t.match(readProxyHeader(version2(0x21, 0x11, Buffer.concat([four, ssl]))), {
    tls: { protocol: 'TLSv1.3' },
  })
  t.end()
})

test('PROXY version 2 that is malformed', (t) => {
  const four = Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 0x14, 0x66])
  const outside = Buffer.concat([four, Buffer.from([0xee, 0, 9, 1])])
  for (const [name, header] of Object.entries({
    version: version2(0x31, 0x11, four),
    command: version2(0x22, 0x11, four),
    short: version2(0x21, 0x11, four.subarray(0, 11)),
    'short for IPv6': version2(0x21, 0x21, four),
    'extra beyond the end': version2(0x21, 0x11, outside),
    'half an extra': version2(0x21, 0x11, Buffer.concat([four, Buffer.from([1, 0])])),
    'too long': version2(0x21, 0x11, Buffer.alloc(5000)),
  })) {
    t.equal(readProxyHeader(header), 'malformed', name)
  }
  t.end()
})
