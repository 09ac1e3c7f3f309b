// The rules that look at neighbours, shared by localparts, resources and domain labels: contextual
// rules (RFC 5892 appendix A, which RFC 8264 §9.3 takes over) and the Bidi Rule (RFC 5893 §2).
// They expect code points whose derived property has been checked.

import {
  DERIVED,
  VIRAMA,
  bidiOf,
  joiningOf,
  precisOf,
  propertiesOf,
  scriptOf,
} from './code-points.js'

export function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!)
}

/** How a refusal names a code point. */
export function named(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

export function needsContext(derived: number): boolean {
  return derived === DERIVED.CONTEXT_J || derived === DERIVED.CONTEXT_O
}

/** The first code point that may not stand where it stands; in time linear in the text. */
export function misplaced(codes: readonly number[]): number | undefined {
  const needing = [...codes.keys()].filter((at) => needsContext(precisOf(propertiesOf(codes[at]!))))
  if (needing.length === 0) return undefined
  const text = { codes, ...wholeText(codes) }
  const at = needing.find((at) => !RULES.get(codes[at]!)!(text, at))
  return at === undefined ? undefined : codes[at]
}

interface Text {
  codes: readonly number[]
  hasArabicIndic: boolean
  hasExtendedArabicIndic: boolean
  hasJapanese: boolean
}

function wholeText(codes: readonly number[]): Omit<Text, 'codes'> {
  return {
    hasArabicIndic: codes.some((code) => ARABIC_INDIC.includes(code)),
    hasExtendedArabicIndic: codes.some((code) => EXTENDED_ARABIC_INDIC.includes(code)),
    hasJapanese: codes.some((_, at) => /Hiragana|Katakana|Han/.test(scriptAt(codes, at))),
  }
}

type ContextRule = (text: Text, at: number) => boolean

const LATIN_L = 0x6c
const ARABIC_INDIC = Array.from({ length: 10 }, (_, digit) => 0x660 + digit)
const EXTENDED_ARABIC_INDIC = Array.from({ length: 10 }, (_, digit) => 0x6f0 + digit)

/** RFC 5892 A.1 to A.9: each code point that PRECIS or IDNA allows in a context only. */
const RULES = new Map<number, ContextRule>([
  [0x200c, ({ codes }, at) => afterVirama(codes, at) || joinsBothSides(codes, at)],
  [0x200d, ({ codes }, at) => afterVirama(codes, at)],
  [0xb7, ({ codes }, at) => codes[at - 1] === LATIN_L && codes[at + 1] === LATIN_L],
  [0x375, ({ codes }, at) => scriptAt(codes, at + 1) === 'Greek'],
  [0x5f3, ({ codes }, at) => scriptAt(codes, at - 1) === 'Hebrew'],
  [0x5f4, ({ codes }, at) => scriptAt(codes, at - 1) === 'Hebrew'],
  [0x30fb, (text) => text.hasJapanese],
  ...ARABIC_INDIC.map((code): [number, ContextRule] => [code, (t) => !t.hasExtendedArabicIndic]),
  ...EXTENDED_ARABIC_INDIC.map((code): [number, ContextRule] => [code, (t) => !t.hasArabicIndic]),
])

function scriptAt(codes: readonly number[], at: number): string {
  const code = codes[at]
  return code === undefined ? '' : scriptOf(propertiesOf(code))
}

function afterVirama(codes: readonly number[], at: number): boolean {
  const before = codes[at - 1]
  return before !== undefined && (propertiesOf(before) & VIRAMA) !== 0
}

function joinsBothSides(codes: readonly number[], at: number): boolean {
  return /[LD]/.test(nextJoining(codes, at, -1)) && /[RD]/.test(nextJoining(codes, at, 1))
}

/** The joining type of the nearest neighbour that is not transparent. */
function nextJoining(codes: readonly number[], at: number, step: 1 | -1): string {
  for (let i = at + step; i >= 0 && i < codes.length; i += step) {
    const type = joiningOf(propertiesOf(codes[i]!))
    if (type !== 'T') return type
  }
  return ''
}

const RIGHT_TO_LEFT = new Set(['R', 'AL', 'AN'])
const IN_RTL_LABEL = new Set(['R', 'AL', 'AN', 'EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM'])
const IN_LTR_LABEL = new Set(['L', 'EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM'])
const ENDS_RTL_LABEL = new Set(['R', 'AL', 'EN', 'AN'])
const ENDS_LTR_LABEL = new Set(['L', 'EN'])

const bidiClasses = (codes: readonly number[]) => codes.map((code) => bidiOf(propertiesOf(code)))

export function hasRightToLeft(codes: readonly number[]): boolean {
  return bidiClasses(codes).some((bidi) => RIGHT_TO_LEFT.has(bidi))
}

/** RFC 5893 §2, its six conditions; for texts in which something runs from right to left. */
export function meetsBidiRule(codes: readonly number[]): boolean {
  const classes = bidiClasses(codes)
  const last = classes.findLast((bidi) => bidi !== 'NSM') ?? ''
  if (classes[0] === 'L') return isWithin(classes, IN_LTR_LABEL) && ENDS_LTR_LABEL.has(last)
  if (classes[0] !== 'R' && classes[0] !== 'AL') return false
  if (classes.includes('EN') && classes.includes('AN')) return false
  return isWithin(classes, IN_RTL_LABEL) && ENDS_RTL_LABEL.has(last)
}

function isWithin(classes: readonly string[], allowed: ReadonlySet<string>): boolean {
  return classes.every((bidi) => allowed.has(bidi))
}
