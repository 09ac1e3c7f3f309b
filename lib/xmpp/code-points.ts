// What each code point is to an address, looked up in the generated tables. One pinned version of
// Unicode decides, never the ICU of the Node that happens to run: the nodes of a cluster must agree
// on who is who. A code point that the pinned version does not know is refused before anything else
// looks at it.

import { LOWER_CASE, PROPERTY_RUNS, PROPERTY_VALUES, WIDTHS } from './unicode-tables.js'

/** Derived property, in the low bits for PRECIS (RFC 8264 §8), above for IDNA (RFC 5892 §3). */
export const DERIVED = {
  UNASSIGNED: 0,
  DISALLOWED: 1,
  VALID: 2,
  FREEFORM: 3,
  CONTEXT_J: 4,
  CONTEXT_O: 5,
} as const

export const DERIVED_MASK = 7
export const IDNA_SHIFT = 3
export const BIDI_SHIFT = 6
export const JOINING_SHIFT = 10
export const SCRIPT_SHIFT = 13
export const MARK = 1 << 16
export const VIRAMA = 1 << 17

/** A value that is not listed counts as the first. */
export const BIDI_CLASSES = ['', 'L', 'R', 'AL', 'AN', 'EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM']
export const JOINING_TYPES = ['U', 'L', 'R', 'D', 'T', 'C']
export const SCRIPTS = ['', 'Greek', 'Hebrew', 'Hiragana', 'Katakana', 'Han']

// Decoded when first asked for: a server that meets only ASCII starts without.
let runs: Runs | undefined
let lowerCase: Map<number, number> | undefined
let widths: Map<number, number> | undefined

interface Runs {
  starts: Uint32Array
  values: Uint32Array
}

/** A length in base 36 (nothing for 1), then the value's number: a capital, a dash for each 26. */
function decodeRuns(): Runs {
  const starts: number[] = []
  const values: number[] = []
  let start = 0
  for (const [, length, dashes, letter] of PROPERTY_RUNS.matchAll(/([0-9a-z]*)(-*)([A-Z])/g)) {
    starts.push(start)
    values.push(PROPERTY_VALUES[dashes!.length * 26 + letter!.charCodeAt(0) - 65]!)
    start += length === '' ? 1 : Number.parseInt(length!, 36)
  }
  return { starts: Uint32Array.from(starts), values: Uint32Array.from(values) }
}

/** Runs of mappings, in base 36: from where, to where, how many, how far apart. */
function decodeMap(table: string): Map<number, number> {
  const map = new Map<number, number>()
  for (const run of table.trim().split(/\s+/)) {
    const [from, to, count = 1, step = 1] = run.split(',').map((n) => Number.parseInt(n, 36))
    for (let i = 0; i < count; i++) map.set(from! + i * step, to! + i * step)
  }
  return map
}

/** The packed properties of a code point. */
export function propertiesOf(code: number): number {
  const { starts, values } = (runs ??= decodeRuns())
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= code) low = middle
    else high = middle - 1
  }
  return values[low]!
}

export const precisOf = (properties: number) => properties & DERIVED_MASK
export const idnaOf = (properties: number) => (properties >> IDNA_SHIFT) & DERIVED_MASK
export const bidiOf = (properties: number) => BIDI_CLASSES[(properties >> BIDI_SHIFT) & 15]!
export const joiningOf = (properties: number) => JOINING_TYPES[(properties >> JOINING_SHIFT) & 7]!
export const scriptOf = (properties: number) => SCRIPTS[(properties >> SCRIPT_SHIFT) & 7]!

/**
 * Each code point by itself, so U+03A3 is always U+03C3: where a final sigma belongs depends on
 * properties that versions of Unicode change (RFC 8264 §5.2.3 leaves the choice).
 */
export function toLowerCase(text: string): string {
  lowerCase ??= decodeMap(LOWER_CASE)
  return mapCodePoints(text, lowerCase).replaceAll('\u0130', 'i\u0307')
}

/** Full-width and half-width forms to their decompositions (RFC 8264 §5.2.1). */
export function toNormalWidth(text: string): string {
  widths ??= decodeMap(WIDTHS)
  return mapCodePoints(text, widths)
}

function mapCodePoints(text: string, map: Map<number, number>): string {
  let mapped = ''
  for (const character of text) {
    const to = map.get(character.codePointAt(0)!)
    mapped += to === undefined ? character : String.fromCodePoint(to)
  }
  return mapped
}

/**
 * NFC (RFC 8264 §5.2.4), by the running Node: Unicode never changes the normal form of a text whose
 * code points are all assigned, so refuse the others first.
 */
export function toComposed(text: string): string {
  return text.normalize('NFC')
}
