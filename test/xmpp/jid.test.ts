import fc from 'fast-check'
import { test } from 'tap'
import { hash53 } from '../../lib/xmpp/hash53.js'
import { Jid, JidError, prepareDomain, prepareLocal, prepareResource } from '../../lib/xmpp/jid.js'
import { hostileText, prepared } from './hostile-text.js'
import { work } from '../world/work.js'

test('an address has a localpart, a domain and a resource (RFC 7622 §3.1)', async (t) => {
  const jid = Jid.parse('romeo@montague.example/orchard')
  t.equal(jid.local, 'romeo')
  t.equal(jid.domain, 'montague.example')
  t.equal(jid.resource, 'orchard')
  t.equal(jid.text, 'romeo@montague.example/orchard')
  t.equal(String(jid), jid.text)
  t.equal(jid.bare.text, 'romeo@montague.example')
  t.notOk(jid.isBare)
  t.ok(jid.bare.isBare)
  t.notOk(jid.bare.isDomain)
  t.ok(Jid.parse('montague.example').isDomain)
  t.notOk(Jid.parse('montague.example/x').isDomain)
})

test('an address has the number that the database has of it, and its parts whoever came first', async (t) => {
  const jid = Jid.parse('Benvolio@Numbers.example/street')
  t.equal(jid.hash, hash53('benvolio@numbers.example/street'))
  t.equal(jid.bare.hash, hash53('benvolio@numbers.example'))
  t.equal(jid.hash, jid.hash)
  const alone = Jid.parse('numbers.example/street')
  t.same(
    [alone.local, alone.domain, alone.resource, alone.bare.text],
    ['', 'numbers.example', 'street', 'numbers.example'],
  )
  const other = Jid.of('benvolio', 'b\u00fccher.example', 'street')
  t.same([other.local, other.domain], ['benvolio', 'b\u00fccher.example'])
})

test('the resource starts at the first slash, the localpart ends at the first @ before it (RFC 7622 §3.2)', async (t) => {
  const cases: [text: string, local: string, domain: string, resource: string][] = [
    ['a@b/c/d@e', 'a', 'b', 'c/d@e'],
    ['b/c@d', '', 'b', 'c@d'],
    ['b//', '', 'b', '/'],
    ['a.example.com/b@example.net', '', 'a.example.com', 'b@example.net'],
    ['a@b/it\'s <so> & "so"', 'a', 'b', 'it\'s <so> & "so"'],
  ]
  for (const [text, local, domain, resource] of cases) {
    const jid = Jid.parse(text)
    t.same([jid.local, jid.domain, jid.resource], [local, domain, resource], text)
  }
})

test('the legal examples are addresses (RFC 7622 §3.5)', async (t) => {
  const legal = [
    'juliet@example.com',
    'juliet@example.com/foo',
    'juliet@example.com/foo bar',
    'juliet@example.com/foo@bar',
    'foo\\20bar@example.com',
    'fussball@example.com',
    'fu\u00dfball@example.com',
    '\u03c0@example.com',
    '\u03c3@example.com/foo',
    '\u03c2@example.com/foo',
    'king@example.com/\u265a',
    'example.com',
    'example.com/foobar',
    'a.example.com/b@example.net',
  ]
  for (const text of legal) t.equal(Jid.parse(text).text, text)
  t.equal(Jid.parse('\u03a3@example.com/foo').text, '\u03c3@example.com/foo')
  t.equal(new Set(['\u03a3', '\u03c3', '\u03c2'].map((s) => Jid.parse(`${s}@example.com`))).size, 2)
})

test('the illegal examples are refused (RFC 7622 §3.5)', async (t) => {
  const illegal = [
    '"juliet"@example.com',
    'foo bar@example.com',
    'juliet@example.com/ foo',
    '@example.com/',
    'henry\u2163@example.com',
    '\u265a@example.com',
    'juliet@',
    '/foobar',
  ]
  t.same(illegal.map((text) => Jid.tryParse(text)?.text).filter(Boolean), [])
})

test('SEC-71: what is no address is refused, by a JidError and nothing else', async (t) => {
  const hostile = [
    ...['', '@', '/', '@/', 'a@', '@d', 'a@/r', 'a@b/', 'b/', '@b/c', 'a@b@c', 'a@@b', 'a@b@c/d'],
    ...[
      'a"b@c',
      'a&b@c',
      "a'b@c",
      'a:b@c',
      'a<b@c',
      'a>b@c',
      'a b@c',
      ' a@c',
      'a @c',
      'a@ c',
      'a@c ',
    ],
    ...['a@.', 'a@.b', 'a@b..c', 'a@b..', 'a@-b', 'a@b-', 'a@ab--c', 'a@b_c', 'a@b:5222', 'a@b\\c'],
    ...['a\0@b', 'a\t@b', 'a@b/\n', 'a@b/\x7f', 'a\x7f@b', 'a@b/\u0085', 'a@b/\u2028', 'a@b\r\n'],
    ...[
      'a\ud800@b',
      'a@b\udc00',
      'a@b/\ud800',
      'a@b/\ufffe',
      'a\uffff@b',
      'a\ufdd0@b',
      'a\u{1fffe}@b',
    ],
    ...[
      'a\uff20b@c',
      'a\uff0fb@c',
      'a\u3000b@c',
      'a\u00a0b@c',
      'a\u200bb@c',
      'a\u00adb@c',
      'a\ufeffb@c',
    ],
    ...[
      'a\u202eb@c',
      'a\u0378@b',
      'a@b/\u0378',
      'a@\u0378',
      'a\ue000@b',
      'a@b/\ue000',
      'a@b/\u3000x',
    ],
    ...['a@xn--', 'a@xn--a', 'a@xn--abc-', 'a@xn--\u00fc', 'a@XN--EXAMPLE-', 'a@xn--a-ecp.ru'],
    ...['a@1.2.3', 'a@256.1.1.1', 'a@127.1', 'a@0x7f.1', 'a@01.2.3.4', 'a@2130706433', 'a@b.0x7f'],
    ...[
      'a@[',
      'a@[]',
      'a@[::1',
      'a@::1',
      'a@[1.2.3.4]',
      'a@[fe80::1%eth0]',
      'a@[::g]',
      'a@[::1].b',
    ],
  ]
  t.same(hostile.map((text) => Jid.tryParse(text)?.text).filter(Boolean), [])
  t.throws(() => Jid.parse('a b@c'), JidError)
  t.equal(Jid.tryParse(undefined), undefined)
})

test('SEC-71: one address however it is written', async (t) => {
  const same: [text: string, prepared: string][] = [
    ['ROMEO@Montague.Example/Orchard', 'romeo@montague.example/Orchard'],
    ['romeo@montague.example./Orchard', 'romeo@montague.example/Orchard'],
    [
      '\uff52\uff4f\uff4d\uff45\uff4f@\uff4d\uff4f\uff4e\uff54\uff41\uff47\uff55\uff45\uff0eexample',
      'romeo@montague.example',
    ],
    ['a@b\u3002example', 'a@b.example'],
    ['a@b\uff61example', 'a@b.example'],
    ['a@XN--MNCHEN-3YA.example', 'a@m\u00fcnchen.example'],
    ['a@xn--mnchen-3ya.example', 'a@m\u00fcnchen.example'],
    ['a@Mu\u0308nchen.example', 'a@m\u00fcnchen.example'],
    ['a@\u212aelvin.example', 'a@kelvin.example'],
    ['Zoe\u0308@b', 'zo\u00eb@b'],
    ['a@b/Zoe\u0308', 'a@b/Zo\u00eb'],
    ['a@b/c\u2003d', 'a@b/c d'],
    ['\u13a0@b', '\uab70@b'],
    ['a@[::0001]', 'a@[::1]'],
    ['a@[2001:DB8:0:0::1]', 'a@[2001:db8::1]'],
  ]
  for (const [text, prepared] of same) {
    t.equal(Jid.parse(text).text, prepared)
    t.equal(Jid.parse(text), Jid.parse(prepared), 'the same object')
  }
  t.throws(() => Jid.parse('\u212aelvin@b'), JidError, 'the Kelvin sign is in no localpart')
})

test('SEC-71: no text of legal length costs more than a few milliseconds', async (t) => {
  const slow = [
    `a${'\u0301\u0327'.repeat(767)}@b`,
    `${'\u0661'.repeat(1536)}@b`,
    `${'\u30fb'.repeat(1535)}\u30a2@b`,
    `${'\u0628\u200c\u064e'.repeat(500)}\u0628@b`,
    `\u0628${'\u064e'.repeat(700)}${'\u200c'.repeat(700)}@b`,
    `a@${'xn--99999999999.'.repeat(96)}`,
    `a@${'a.'.repeat(768)}`,
    `a@b/${'\u0301\u0327'.repeat(768)}`,
  ]
  const all = work(() => {
    for (let i = 0; i < 10; i++) for (const text of slow) Jid.tryParse(text)
  })
  const each = all / (10 * slow.length)
  t.ok(each < 10, `${each.toFixed(2)} ms`)
})

test('SEC-71: literals of IP are domains (RFC 7622 §3.2)', async (t) => {
  for (const text of [
    'a@127.0.0.1',
    '127.0.0.1/x',
    'a@[::1]/x',
    '[2001:db8::1]',
    'a@255.249.99.0',
  ]) {
    t.equal(Jid.parse(text).text, text)
  }
})

test('each part holds 1023 octets of UTF-8 and not one more (RFC 7622 §3.1)', async (t) => {
  const label = 'a'.repeat(63)
  const domain = Array(16).fill(label).join('.')
  const full = `${'l'.repeat(1023)}@${domain}/${'r'.repeat(1023)}`
  t.equal(Buffer.byteLength(domain), 1023)
  t.equal(Jid.parse(full).text, full)
  t.throws(() => Jid.of('l'.repeat(1024), 'd'), JidError)
  t.throws(() => Jid.of('l', `a.${domain}`), JidError)
  t.throws(() => Jid.of('l', 'd', 'r'.repeat(1024)), JidError)
  t.throws(() => Jid.of('l', `${label}a`), JidError)
  t.equal(prepareLocal('\u00e9'.repeat(511)).length, 511)
  t.throws(() => prepareLocal('\u00e9'.repeat(512)), JidError)
  t.throws(() => prepareResource('\u265a'.repeat(342)), JidError)
  t.throws(() => Jid.parse('a'.repeat(10_000_000)), JidError)
  for (const prepare of [prepareLocal, prepareDomain, prepareResource]) {
    t.throws(() => prepare('\u00e9'.repeat(1_000_000)), JidError)
    t.throws(() => prepare(''), JidError)
  }
})

test('SEC-71: prep(prep(x)) = prep(x)', async (t) => {
  for (const prepare of [prepareLocal, prepareDomain, prepareResource]) {
    let accepted = 0
    const property = fc.property(hostileText(), (text) => {
      const once = prepared(prepare, text, JidError)
      if (once === undefined) return true
      accepted++
      return prepare(once) === once
    })
    fc.assert(property, { numRuns: 20_000 })
    t.ok(accepted > 1000, `${prepare.name} accepted ${accepted}`)
  }
})

test('SEC-71: no prepared part holds a separator that would split it elsewhere', async (t) => {
  const property = fc.property(
    hostileText(8),
    hostileText(6),
    hostileText(8),
    (local, domain, resource) => {
      const name = prepared(prepareLocal, local, JidError)
      const host = prepared(prepareDomain, domain, JidError)
      const rest = prepared(prepareResource, resource, JidError)
      if (name !== undefined && /["&'/:<>@\s\0]/.test(name)) return false
      if (host !== undefined && /["&'/<>@\s\0]/.test(host)) return false
      return rest === undefined || !/[\0-\x1f\x7f]/.test(rest)
    },
  )
  fc.assert(property, { numRuns: 20_000 })
  t.pass()
})

test('SEC-71: an address is read back from its own text', async (t) => {
  const valid = (prepare: (text: string) => string) =>
    hostileText(6)
      .map((text) => prepared(prepare, text, JidError))
      .filter((text) => text !== undefined)
  const parts = fc.tuple(
    fc.oneof(fc.constant(''), valid(prepareLocal)),
    valid(prepareDomain),
    fc.oneof(fc.constant(''), valid(prepareResource)),
  )
  const property = fc.property(parts, ([local, domain, resource]) => {
    const jid = Jid.of(local, domain, resource)
    const again = Jid.parse(jid.text)
    return again.text === jid.text && again.local === local && again.resource === resource
  })
  fc.assert(property, { numRuns: 3000 })
  t.pass()
})

test('SEC-71: __proto__ and its kind are addresses like any other', async (t) => {
  for (const name of ['__proto__', 'constructor', 'hasownproperty', 'tostring']) {
    t.equal(Jid.parse(`${name}@${name.replaceAll('_', '')}/${name}`).resource, name)
    t.equal(Jid.parse(`${name}@b`).local, name)
  }
})

test('a resource is put on, exchanged and taken off', async (t) => {
  const jid = Jid.parse('romeo@montague.example/orchard')
  t.equal(jid.withResource('balcony').text, 'romeo@montague.example/balcony')
  t.equal(jid.withResource(''), jid.bare)
  t.equal(jid.bare.bare, jid.bare)
  t.equal(jid.bare.withResource('orchard'), jid)
  t.equal(jid.withResource('orch\u2003ard').resource, 'orch ard')
  t.throws(() => jid.withResource('\0'), JidError)
})

test('the same bare address is the same object', async (t) => {
  t.equal(Jid.parse('romeo@montague.example/a').bare, Jid.parse('Romeo@montague.example/b').bare)
  t.equal(Jid.parse('romeo@montague.example/a').bare, Jid.parse('romeo@montague.example/a').bare)
})

test('addresses are equal when their prepared texts are', async (t) => {
  t.ok(Jid.parse('A@b/c').equals(Jid.parse('a@B/c')))
  t.notOk(Jid.parse('a@b/C').equals(Jid.parse('a@b/c')), 'resources keep their case')
  t.notOk(Jid.parse('a@b').equals(Jid.parse('a@b/c')))
  t.notOk(Jid.parse('a@b').equals(undefined))
})

test('an attribute gets the address escaped, as wire text', async (t) => {
  t.equal(Jid.parse('a@b/<\'&">').attr, 'a@b/&lt;&apos;&amp;&quot;&gt;')
  t.equal(Jid.parse('zo\u00eb@b').attr, 'zo\u00c3\u00ab@b')
  t.equal(Jid.parse('a@b').attr, 'a@b')
})
