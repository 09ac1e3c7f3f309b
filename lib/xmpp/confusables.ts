// What a name looks like (UTS #39 §4): two names with one skeleton cannot be told apart by eye, and
// the second may not be registered. A skeleton is for comparing only; nobody is ever shown one.
//
// More than UTS #39 asks: letters count without their case, because an address has none ("0" looks
// like "O", so like "o"), and the mapping is repeated until it changes nothing.

import { CONFUSABLES } from './confusables-table.js'
import { toLowerCase } from './code-points.js'

// A prepared name holds two of these, the joiners; the others make this safe for any text.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
/** The dot that i and j have anyway: what lower case makes of U+0130. */
const SECOND_DOT = /(?<=[ij])\u0307/g
/** The longest chain of the table and of letter case is shorter; a skeleton is stable then. */
const ROUNDS = 8

let looksLike: Map<string, string> | undefined

function decode(): Map<string, string> {
  const map = new Map<string, string>()
  for (const group of CONFUSABLES.trim().split(/\s+/)) {
    const [target, sources] = group.split('=')
    const look = String.fromCodePoint(...target!.split('.').map(fromBase36))
    let code = 0
    for (const distance of sources!.split(',')) {
      code += fromBase36(distance)
      map.set(String.fromCodePoint(code), look)
    }
  }
  return map
}

function fromBase36(digits: string): number {
  return Number.parseInt(digits, 36)
}

/** Equal for texts that look alike. */
export function skeleton(text: string): string {
  let before = text.normalize('NFKD').replace(INVISIBLE, '')
  for (let round = 0; round < ROUNDS; round++) {
    const after = toLowerCase(look(before)).normalize('NFKD').replace(SECOND_DOT, '')
    if (after === before) return after
    before = after
  }
  return before
}

function look(text: string): string {
  const looks = (looksLike ??= decode())
  let seen = ''
  for (const character of text) seen += looks.get(character) ?? character
  return seen
}
