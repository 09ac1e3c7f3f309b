import fc from 'fast-check'
import { test } from 'tap'
import { DERIVED, idnaOf, precisOf, propertiesOf, toLowerCase } from '../../lib/xmpp/code-points.js'
import { JidError } from '../../lib/xmpp/jid.js'
import { nickname, nicknameKey, opaqueString, usernameCaseMapped } from '../../lib/xmpp/precis.js'
import { UNICODE_VERSION } from '../../lib/xmpp/unicode-tables.js'
import { hostileText, prepared } from './hostile-text.js'

const username = (text: string) => prepared(usernameCaseMapped, text, JidError)
const opaque = (text: string) => prepared(opaqueString, text, JidError)
const nick = (text: string) => prepared(nickname, text, JidError)

test('the examples of UsernameCaseMapped (RFC 8265 §3.5)', async (t) => {
  const legal = ['juliet', 'fussball', 'fu\u00dfball', '\u03c0', '\u03c3', '\u03c2']
  for (const text of legal) t.equal(username(text), text)
  t.equal(username('\u03a3'), '\u03c3')
  t.equal(username('foo bar'), undefined)
  t.equal(username('henry\u2163'), undefined)
  t.equal(username('\u265a'), undefined)
})

test('the examples of OpaqueString (RFC 8265 §4.3)', async (t) => {
  t.equal(opaque('correct horse battery staple'), 'correct horse battery staple')
  t.equal(opaque('Correct Horse Battery Staple'), 'Correct Horse Battery Staple')
  t.equal(opaque('\u03c0\u00df\u00e5'), '\u03c0\u00df\u00e5')
  t.equal(opaque('Jack of \u2666s'), 'Jack of \u2666s')
  t.equal(opaque('foo\u1680bar'), 'foo bar')
  t.equal(opaque('my cat is a \u0009by'), undefined)
})

test('the examples of Nickname (RFC 8266 §3)', async (t) => {
  const keys: [text: string, key: string][] = [
    ['Foo', 'foo'],
    ['foo', 'foo'],
    ['Foo Bar', 'foo bar'],
    ['  Foo    Bar  ', 'foo bar'],
    ['\u03a3', '\u03c3'],
    ['\u03c3', '\u03c3'],
    ['\u03c2', '\u03c2'],
    ['\u265a', '\u265a'],
    ['Richard \u2163', 'richard iv'],
  ]
  for (const [text, key] of keys) t.equal(nicknameKey(text), key)
  t.equal(nickname('  Foo \u00a0  Bar  '), 'Foo Bar')
  t.equal(nickname('Richard \u2163'), 'Richard IV')
  t.throws(() => nickname(' \u3000 '), JidError)
  t.throws(() => nickname(''), JidError)
})

test('SEC-71: what a localpart is made of (RFC 8264 §4.2, RFC 7622 §3.3)', async (t) => {
  const cases: [text: string, prepared: string | undefined, why: string][] = [
    ['\u212aelvin', undefined, 'the Kelvin sign'],
    ['\u212bngstrom', undefined, 'the Angstrom sign'],
    ['\uff21\uff42\uff43', 'abc', 'full width'],
    ['\uff71', '\u30a2', 'half-width katakana'],
    ['a\uff20b', undefined, 'a full-width @'],
    ['\u13a0', '\uab70', 'Cherokee capital'],
    ['\uab70', '\uab70', 'Cherokee small'],
    ['\u10a0', '\u2d00', 'Georgian capital'],
    ['\u1c90', '\u10d0', 'Georgian mtavruli'],
    ['\u039d\u0399\u039a\u039f\u03a3', '\u03bd\u03b9\u03ba\u03bf\u03c3', 'no final sigma is made'],
    ['\u03bd\u03b9\u03ba\u03bf\u03c2', '\u03bd\u03b9\u03ba\u03bf\u03c2', 'a final sigma is kept'],
    ['\u0130', 'i\u0307', 'a capital I with dot'],
    ['\u0131', '\u0131', 'a dotless i'],
    ['\u1e9e', '\u00df', 'a capital sharp s'],
    ['\u01c5', undefined, 'a titlecase digraph'],
    ['\u017f', undefined, 'a long s'],
    ['\ufb01', undefined, 'a ligature'],
    ['e\u0301', '\u00e9', 'decomposed'],
    ['\u0378', undefined, 'unassigned'],
    ['\u1c89', undefined, 'assigned only after the pinned version'],
    ['\ud83d', undefined, 'half of a surrogate pair'],
    ['\ufffe', undefined, 'a noncharacter'],
    ['\u0007', undefined, 'a control'],
    ['\u0085', undefined, 'a control of C1'],
    ['\u00ad', undefined, 'a soft hyphen'],
    ['\u200b', undefined, 'a zero width space'],
    ['\u2060', undefined, 'a word joiner'],
    ['\u1100', undefined, 'an old hangul jamo'],
    ['\u0640', undefined, 'a tatweel'],
    ['\u{1f600}', undefined, 'an emoji'],
    ['\ue000', undefined, 'private use'],
    ['\u{e0041}', undefined, 'a tag'],
  ]
  for (const [text, expected, why] of cases) t.equal(username(text), expected, why)
})

test('SEC-71: joiners and other code points of context (RFC 5892 appendix A)', async (t) => {
  const cases: [text: string, allowed: boolean, why: string][] = [
    ['\u0915\u094d\u200d\u0937', true, 'ZWJ after a virama'],
    ['\u0915\u200d\u0937', false, 'ZWJ without one'],
    ['a\u200db', false, 'ZWJ in Latin'],
    ['\u200da', false, 'ZWJ in front'],
    ['\u0915\u094d\u200c\u0937', true, 'ZWNJ after a virama'],
    ['\u0628\u200c\u0628', true, 'ZWNJ between joining letters'],
    ['\u0628\u064e\u200c\u064e\u0628', true, 'ZWNJ between joining letters and marks'],
    ['\u0628\u200c', false, 'ZWNJ at the end'],
    ['\u0627\u200c\u0628', false, 'ZWNJ after a letter that joins to the right only'],
    ['a\u200cb', false, 'ZWNJ in Latin'],
    ['l\u00b7l', true, 'a middle dot between l'],
    ['L\u00b7L', true, 'a middle dot between L, which are l'],
    ['a\u00b7l', false, 'a middle dot elsewhere'],
    ['l\u00b7', false, 'a middle dot at the end'],
    ['\u0375\u03b1', true, 'a keraia before Greek'],
    ['\u0375a', false, 'a keraia before Latin'],
    ['\u05d0\u05f3', true, 'a geresh after Hebrew'],
    ['\u05d0\u05f4', true, 'a gershayim after Hebrew'],
    ['a\u05f3', false, 'a geresh after Latin'],
    ['\u30fb\u30a2', true, 'a katakana middle dot with katakana'],
    ['a\u30fbb', false, 'a katakana middle dot in Latin'],
    ['\u0628\u0661\u0662', true, 'Arabic-Indic digits'],
    ['\u0628\u06f1\u06f2', true, 'extended Arabic-Indic digits'],
    ['\u0628\u0661\u06f2', false, 'both kinds of digits'],
  ]
  for (const [text, allowed, why] of cases) {
    t.equal(username(text) !== undefined, allowed, why)
    if (!text.includes('L')) t.equal(opaque(text) !== undefined, allowed, why)
  }
})

test('SEC-71: directions in a localpart keep the Bidi Rule (RFC 5893 §2)', async (t) => {
  const cases: [text: string, allowed: boolean, why: string][] = [
    ['\u05d0\u05d1', true, 'Hebrew'],
    ['\u0627\u0628', true, 'Arabic'],
    ['\u05d01', true, 'Hebrew, then a digit'],
    ['\u05d0\u05b0', true, 'Hebrew that ends in a mark'],
    ['1\u05d0', false, 'begins with a digit'],
    ['-\u05d0', false, 'begins with a hyphen'],
    ['\u05d0-', false, 'ends in a hyphen'],
    ['\u05d0a', false, 'Latin in Hebrew'],
    ['a\u05d0', false, 'Hebrew in Latin'],
    ['a\u05d0b', false, 'Hebrew within Latin'],
    ['\u06271\u0661', false, 'European and Arabic digits'],
    ['a\u0661', false, 'Arabic digits in Latin'],
    ['a1-', true, 'the rule is not for text from left to right'],
  ]
  for (const [text, allowed, why] of cases) t.equal(username(text) !== undefined, allowed, why)
  t.equal(opaque('a\u05d0'), 'a\u05d0', 'resources have no rule of direction (RFC 8265 §4.2.2)')
})

test('SEC-71: what a resource is made of (RFC 8264 §4.3)', async (t) => {
  const kept = [
    '\u265a',
    '\u2163',
    '\ufb01',
    '\u{1f600}',
    '\uff21',
    '\u212a',
    'A B',
    'b ',
    '"&\'/:<>@',
  ]
  for (const text of kept) {
    t.equal(opaque(text), text === '\u212a' ? 'K' : text)
  }
  const refused = [
    ' a',
    '\u00a0a',
    'a\0',
    'a\t',
    '\u2028',
    '\u200b',
    '\ufeff',
    '\ud800',
    '\ufffe',
    '\u0378',
  ]
  t.same(refused.map(opaque).filter(Boolean), [])
})

test('the tables are of one Unicode version, and what it does not know is refused', async (t) => {
  t.equal(UNICODE_VERSION, '15.0.0')
  const counts = new Map<number, number>()
  for (let code = 0; code < 0x110000; code++) {
    const derived = precisOf(propertiesOf(code))
    counts.set(derived, (counts.get(derived) ?? 0) + 1)
  }
  t.equal(counts.get(DERIVED.UNASSIGNED), 825_279, 'Cn without the 66 noncharacters')
  t.equal(counts.get(DERIVED.CONTEXT_J), 2)
  t.equal(counts.get(DERIVED.CONTEXT_O), 25)
  t.equal(precisOf(propertiesOf(0x1e030)), DERIVED.FREEFORM, 'new in 15.0')
  t.equal(idnaOf(propertiesOf(0x31350)), DERIVED.VALID, 'new in 15.0')
  t.equal(precisOf(propertiesOf(0x2ffc)), DERIVED.UNASSIGNED, 'new in 15.1')
})

test('the running Node knows all that the tables know, and lower case as they do', async (t) => {
  const missing: string[] = []
  const different: string[] = []
  for (let code = 0; code < 0x110000; code++) {
    if (idnaOf(propertiesOf(code)) === DERIVED.UNASSIGNED) continue
    const character = String.fromCodePoint(code)
    if (/\p{Cn}/u.test(character) && !/\p{Noncharacter_Code_Point}/u.test(character)) {
      missing.push(code.toString(16))
    }
    if (toLowerCase(character) !== character.toLowerCase()) different.push(code.toString(16))
  }
  t.same(missing, [], 'or its normal forms could not be trusted')
  t.same(different, [])
})

test('SEC-71: every single code point is stable once prepared', async (t) => {
  const unstable: number[] = []
  const profiles = [usernameCaseMapped, opaqueString]
  for (let code = 0; code < 0x110000; code++) {
    if (precisOf(propertiesOf(code)) <= DERIVED.DISALLOWED) continue
    for (const profile of profiles) {
      const once = prepared(profile, `a${String.fromCodePoint(code)}`, JidError)
      if (once !== undefined && prepared(profile, once, JidError) !== once) unstable.push(code)
    }
    code += code > 0x4e00 && code < 0x9f00 ? 50 : 0
    code += code > 0x17000 && code < 0x18000 ? 50 : 0
    code += code > 0x20000 && code < 0x32000 ? 50 : 0
  }
  t.same(unstable, [])
})

test('SEC-71: prep(prep(x)) = prep(x) for nicknames, and case does not tell two apart', async (t) => {
  const property = fc.property(hostileText(), (text) => {
    const once = nick(text)
    if (once === undefined) return true
    return nickname(once) === once && nicknameKey(once) === nicknameKey(nicknameKey(text))
  })
  fc.assert(property, { numRuns: 10_000 })
  t.pass()
})
