import fc from 'fast-check'
import { test } from 'tap'
import { domainToAscii, domainToUnicode } from '../../lib/xmpp/idna.js'
import { JidError } from '../../lib/xmpp/jid.js'
import { decodePunycode, encodePunycode } from '../../lib/xmpp/punycode.js'
import { codePoints } from '../../lib/xmpp/label-rules.js'
import { hostileText, prepared } from './hostile-text.js'

const domain = (text: string) => prepared(domainToUnicode, text, JidError)

test('a name is compared in U-labels and asked for in A-labels (RFC 5891 §5)', async (t) => {
  const names: [unicode: string, ascii: string][] = [
    ['b\u00fccher.example', 'xn--bcher-kva.example'],
    ['fa\u00df.example', 'xn--fa-hia.example'],
    ['\u03b2\u03cc\u03bb\u03bf\u03c2.example', 'xn--nxasmm1c.example'],
    ['\u0dc1\u0dca\u200d\u0dbb\u0dd3.example', 'xn--10cl1a0b660p.example'],
    ['\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example', 'xn--mgba3gch31f060k.example'],
    ['\u4f8b\u5b50.\u6d4b\u8bd5', 'xn--fsqu00a.xn--0zwm56d'],
    ['plain.example', 'plain.example'],
  ]
  for (const [unicode, ascii] of names) {
    t.equal(domain(ascii), unicode)
    t.equal(domain(ascii.toUpperCase()), unicode)
    t.equal(domain(unicode), unicode)
    t.equal(domainToAscii(unicode), ascii)
  }
})

test('capitals, width and ideographic dots are mapped (RFC 5895 §2)', async (t) => {
  t.equal(domain('B\u00dcCHER.Example'), 'b\u00fccher.example')
  t.equal(domain('bu\u0308cher.example'), 'b\u00fccher.example')
  t.equal(domain('\uff21\uff22\uff23\uff0ede'), 'abc.de')
  t.equal(domain('\u4f8b\u5b50\u3002\u6d4b\u8bd5\uff61'), '\u4f8b\u5b50.\u6d4b\u8bd5')
  t.equal(domain('\u03a3.example'), '\u03c3.example')
  t.equal(domain('\u1e9e.example'), '\u00df.example')
})

test('SEC-71: labels that are no labels are refused (RFC 5891 §4.2, §5.4)', async (t) => {
  const refused = [
    ...[
      '',
      '.',
      '..',
      'a..b',
      '.a',
      '-a',
      'a-',
      'ab--cd',
      '\u00fc\u00fc--a',
      'a_b',
      'a b',
      'a\0b',
      'a/b',
    ],
    ...[
      'xn--',
      'xn---',
      'xn--a',
      'xn--zzzzzzzzzzzz',
      'xn--bcher-kva-',
      'xn--bcher-kvA\u00fc',
      'xn--\u00fc',
    ],
    ...['xn--abc-', 'xn--a-0000', 'xn--99999999999999999999', 'xn--xn--a-ecp-', 'xn--b\u00fccher'],
    ...[
      '\u0301a',
      'a.\u0301',
      '\u2764',
      '\u{1f600}',
      '\u2163',
      '\u0378',
      '\ud800',
      '\ufffe',
      '\u200b',
      '\u00ad',
    ],
    ...[
      'a\u200cb',
      'a\u200db',
      'a\u00b7b',
      '\u0640',
      '\u302e',
      '\u20d0a',
      '\u1100',
      '\u2024',
      '\ufe52',
    ],
  ]
  t.same(
    refused.map(domain).filter((text) => text !== undefined),
    [],
  )
})

test('SEC-71: an A-label is the one that its U-label gives (RFC 5891 §5.4)', async (t) => {
  const fakes = [
    `xn--${encodePunycode(codePoints('B\u00dcCHER'))}`,
    `xn--${encodePunycode(codePoints('bu\u0308cher'))}`,
    `xn--${encodePunycode(codePoints('\uff41\uff42'))}`,
    `xn--${encodePunycode(codePoints('\u2764'))}`,
    `xn--${encodePunycode(codePoints('-\u00fc'))}`,
    `xn--${encodePunycode(codePoints('ab--\u00fc'))}`,
    `xn--${encodePunycode(codePoints('abc'))}`,
    `xn--${encodePunycode(codePoints('a.\u00fc'))}`,
    `xn--${encodePunycode(codePoints('a@\u00fc'))}`,
    `xn--${encodePunycode(codePoints('\u05d0a'))}`,
    `xn---${encodePunycode(codePoints('\u00fc'))}`,
  ]
  t.same(
    fakes.map(domain).filter((text) => text !== undefined),
    [],
  )
})

test('SEC-71: one label from right to left binds all of them (RFC 5893 §2)', async (t) => {
  t.equal(domain('\u05d0\u05d1.example'), '\u05d0\u05d1.example')
  t.equal(domain('\u05d0\u05d1.\u05d2'), '\u05d0\u05d1.\u05d2')
  t.equal(domain('1a.example'), '1a.example')
  const refused = [
    '1a.\u05d0\u05d1',
    '\u05d0\u05d1.1',
    '\u05d0a',
    'a\u05d0',
    '1\u05d0',
    '\u06271\u0661',
    'a\u02b9.\u05d0\u05d1',
    '\u05d0\u05d1.a-\u05d0',
  ]
  t.same(
    refused.map(domain).filter((text) => text !== undefined),
    [],
  )
})

test('a label holds 63 octets as an A-label (RFC 1035 §2.3.4)', async (t) => {
  t.equal(domain(`${'a'.repeat(63)}.b`), `${'a'.repeat(63)}.b`)
  t.equal(domain(`${'a'.repeat(64)}.b`), undefined)
  const longest = `${'a'.repeat(55)}\u00fc`
  t.equal(domainToAscii(longest).length, 63)
  t.equal(domain(longest), longest)
  t.equal(domain(domainToAscii(longest)), longest)
  t.equal(domain(`a${longest}`), undefined)
  t.equal(domain(`xn--${'a'.repeat(60)}`), undefined)
})

test('literals of IP (RFC 7622 §3.2), and no other way to write a number', async (t) => {
  t.equal(domain('192.0.2.1'), '192.0.2.1')
  t.equal(domain('192.0.2.1.'), '192.0.2.1')
  t.equal(domain('\uff11\uff12\uff17.0.0.1'), '127.0.0.1')
  t.equal(domain('[2001:DB8::0:1]'), '[2001:db8::1]')
  t.equal(domain('[::ffff:192.0.2.1]'), '[::ffff:c000:201]')
  const refused = [
    '192.0.2',
    '192.0.2.256',
    '192.0.02.1',
    '3221225985',
    '0xc0.0.2.1',
    'a.0xff',
    'a.1',
    '1.2.3.4.5',
  ]
  t.same(
    refused.map(domain).filter((text) => text !== undefined),
    [],
  )
})

test('Punycode turns the samples into their names and back (RFC 3492 §7.1)', async (t) => {
  const samples: [text: string, encoded: string][] = [
    ['\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587', 'ihqwcrb4cv8a8dqg056pqjye'],
    ['\u4ed6\u5011\u7232\u4ec0\u9ebd\u4e0d\u8aaa\u4e2d\u6587', 'ihqwctvzc91f659drss3x8bo0yb'],
    ['3\u5e74B\u7d44\u91d1\u516b\u5148\u751f', '3B-ww4c5e180e575a65lsy2b'],
    ['Maji\u3067Koi\u3059\u308b5\u79d2\u524d', 'MajiKoi5-783gue6qz075azm5e'],
    ['-> $1.00 <-', '-> $1.00 <--'],
  ]
  for (const [text, encoded] of samples) {
    t.equal(encodePunycode(codePoints(text)), encoded)
    t.same(decodePunycode(encoded), codePoints(text))
  }
})

test('Punycode loses nothing and never throws', async (t) => {
  const there = fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
    const codes = codePoints(text)
    t.same(decodePunycode(encodePunycode(codes)), codes)
  })
  fc.assert(there, { numRuns: 500 })
  const any = fc.property(fc.stringMatching(/^[a-z0-9-]{0,59}$/), (text) => {
    const codes = decodePunycode(text)
    return codes === undefined || codes.every((code) => code <= 0x10ffff)
  })
  fc.assert(any, { numRuns: 5000 })
})

test('SEC-71: a prepared domain survives A-labels and back', async (t) => {
  let international = 0
  const property = fc.property(hostileText(), (text) => {
    const name = domain(text)
    if (name === undefined || name.startsWith('[')) return true
    const ascii = domainToAscii(name)
    if (ascii !== name) international++
    return /^[a-z0-9.-]*$/.test(ascii) && domain(ascii) === name
  })
  fc.assert(property, { numRuns: 20_000 })
  t.ok(international > 200, `${international} international names`)
})
