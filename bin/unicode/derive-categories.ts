// What a code point is to an address: its derived property for PRECIS (RFC 8264 §8) and for IDNA2008
// (RFC 5892 §3), and what their contextual and bidi rules ask about it, packed into one number.
// The meaning of the bits is lib/xmpp/code-points.ts.

import {
  BIDI_CLASSES,
  BIDI_SHIFT,
  DERIVED,
  IDNA_SHIFT,
  JOINING_SHIFT,
  JOINING_TYPES,
  MARK,
  SCRIPT_SHIFT,
  SCRIPTS,
  VIRAMA,
} from '../../lib/xmpp/code-points.js'
import type { CharacterDatabase } from './character-database.js'

const { UNASSIGNED, DISALLOWED, VALID, FREEFORM, CONTEXT_J, CONTEXT_O } = DERIVED

/** RFC 5892 §2.6, the same as RFC 8264 §9.6 */
const EXCEPTIONS = new Map<number, number>([
  ...[0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007].map((code) => [code, VALID] as const),
  ...[0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb].map((code) => [code, CONTEXT_O] as const),
  ...Array.from({ length: 10 }, (_, digit) => [0x660 + digit, CONTEXT_O] as const),
  ...Array.from({ length: 10 }, (_, digit) => [0x6f0 + digit, CONTEXT_O] as const),
  ...[0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b].map(
    (code) => [code, DISALLOWED] as const,
  ),
])

const LETTER_DIGITS = new Set(['Ll', 'Lu', 'Lo', 'Nd', 'Lm', 'Mn', 'Mc'])
/** RFC 8264 §9.14 to §9.18: what only the FreeformClass takes */
const FREE = new Set('Lt Nl No Me Zs Sm Sc Sk So Pc Pd Ps Pe Pi Pf Po'.split(' '))

export function pack(ucd: CharacterDatabase, code: number): number {
  const precis = precisProperty(ucd, code)
  const idna = idnaProperty(ucd, code)
  const classes = precis | (idna << IDNA_SHIFT)
  const allowed = precis > DISALLOWED || idna > DISALLOWED
  return allowed ? classes | traits(ucd, code) : classes
}

/** No rule asks for these of a code point that no address may hold. */
function traits(ucd: CharacterDatabase, code: number): number {
  let bits = Math.max(0, BIDI_CLASSES.indexOf(ucd.bidi[code]!)) << BIDI_SHIFT
  bits |= Math.max(0, JOINING_TYPES.indexOf(ucd.joining[code]!)) << JOINING_SHIFT
  bits |= Math.max(0, SCRIPTS.indexOf(ucd.script[code]!)) << SCRIPT_SHIFT
  if (ucd.category[code]!.startsWith('M')) bits |= MARK
  if (ucd.combining[code] === 9) bits |= VIRAMA
  return bits
}

function isUnassigned(ucd: CharacterDatabase, code: number): boolean {
  return ucd.category[code] === 'Cn' && ucd.noncharacter[code] === 0
}

const isJoinControl = (code: number) => code === 0x200c || code === 0x200d
const isOldHangulJamo = (ucd: CharacterDatabase, code: number) => /^[LVT]$/.test(ucd.hangul[code]!)

/** RFC 8264 §8 */
function precisProperty(ucd: CharacterDatabase, code: number): number {
  const exception = EXCEPTIONS.get(code)
  if (exception !== undefined) return exception
  if (isUnassigned(ucd, code)) return UNASSIGNED
  if (code >= 0x21 && code <= 0x7e) return VALID
  if (isJoinControl(code)) return CONTEXT_J
  if (isOldHangulJamo(ucd, code)) return DISALLOWED
  if (ucd.defaultIgnorable[code] || ucd.noncharacter[code]) return DISALLOWED
  const category = ucd.category[code]!
  if (category === 'Cc' || category === 'Cs') return DISALLOWED
  if (hasCompatibility(code)) return FREEFORM
  if (LETTER_DIGITS.has(category)) return VALID
  return FREE.has(category) ? FREEFORM : DISALLOWED
}

/** RFC 5892 §3 */
function idnaProperty(ucd: CharacterDatabase, code: number): number {
  const exception = EXCEPTIONS.get(code)
  if (exception !== undefined) return exception
  if (isUnassigned(ucd, code)) return UNASSIGNED
  if (/^[-0-9a-z]$/.test(String.fromCodePoint(code))) return VALID
  if (isJoinControl(code)) return CONTEXT_J
  const category = ucd.category[code]!
  if (category === 'Cs' || isUnstable(ucd, code) || isIgnorable(ucd, code)) return DISALLOWED
  if (isOldHangulJamo(ucd, code)) return DISALLOWED
  return LETTER_DIGITS.has(category) ? VALID : DISALLOWED
}

/** RFC 8264 §9.17. The normal forms of assigned code points never change, so any ICU will do. */
function hasCompatibility(code: number): boolean {
  const character = String.fromCodePoint(code)
  return character.normalize('NFKC') !== character
}

/** RFC 5892 §2.2 */
function isUnstable(ucd: CharacterDatabase, code: number): boolean {
  const character = String.fromCodePoint(code)
  const folded = Array.from(
    character.normalize('NFKC'),
    (c) => ucd.fold.get(c.codePointAt(0)!) ?? c,
  )
  return folded.join('').normalize('NFKC') !== character
}

/** RFC 5892 §2.3 and §2.4: ignorable properties, and blocks of musical symbols and their kind */
function isIgnorable(ucd: CharacterDatabase, code: number): boolean {
  if (ucd.defaultIgnorable[code] || ucd.whiteSpace[code] || ucd.noncharacter[code]) return true
  if (code >= 0x20d0 && code <= 0x20ff) return true
  return code >= 0x1d100 && code <= 0x1d24f
}
