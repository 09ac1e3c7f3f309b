// The rules that look at neighbours, shared by localparts, resources and domain labels: contextual
// rules (RFC 5892 appendix A, which RFC 8264 §9.3 takes over) and the Bidi Rule (RFC 5893 §2).
// They expect code points whose derived property has been checked.

import { DERIVED, VIRAMA, bidiOf, joiningOf, propertiesOf, scriptOf } from './code-points.js'

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

/** Whether the code point at `at`, one that `needsContext`, may stand where it stands. */
export function contextAllows(codes: readonly number[], at: number): boolean {
  const code = codes[at]!
  if (isArabicIndic(code)) return !codes.some(isExtendedArabicIndic)
  if (isExtendedArabicIndic(code)) return !codes.some(isArabicIndic)
  return RULES.get(code)?.(codes, at) ?? false
}

type ContextRule = (codes: readonly number[], at: number) => boolean

const LATIN_L = 0x6c

/** RFC 5892 A.1 to A.7 */
const RULES = new Map<number, ContextRule>([
  [0x200c, (codes, at) => afterVirama(codes, at) || joinsBothSides(codes, at)],
  [0x200d, (codes, at) => afterVirama(codes, at)],
  [0xb7, (codes, at) => codes[at - 1] === LATIN_L && codes[at + 1] === LATIN_L],
  [0x375, (codes, at) => scriptAt(codes, at + 1) === 'Greek'],
  [0x5f3, (codes, at) => scriptAt(codes, at - 1) === 'Hebrew'],
  [0x5f4, (codes, at) => scriptAt(codes, at - 1) === 'Hebrew'],
  [0x30fb, (codes) => codes.some((_, i) => /Hiragana|Katakana|Han/.test(scriptAt(codes, i)))],
])

/** RFC 5892 A.8 and A.9: the two sets of digits never meet. */
const isArabicIndic = (code: number) => code >= 0x660 && code <= 0x669
const isExtendedArabicIndic = (code: number) => code >= 0x6f0 && code <= 0x6f9

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
