// Equal names are the same string: element names and namespaces of all streams share one small
// table, so that the common ones are neither copied from the socket nor compared letter by letter.
// A slot holds what came last; strangers can make it useless but never larger. Only ASCII is kept:
// of other text the bytes and the characters differ.

import { fromWire } from '../xmpp/element.js'
import { latin1 } from './xml-bytes.js'

const SLOTS = 1024
const LONGEST = 96

const table: string[] = new Array<string>(SLOTS).fill('')

/** The bytes of a range as real text. */
export function intern(buf: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 0) return ''
  const slot = slotOf(buf, start, end)
  const known = table[slot]!
  if (known.length === length && matches(buf, start, known)) return known
  const wire = latin1(buf, start, end)
  const text = fromWire(wire)
  if (length <= LONGEST && text === wire) table[slot] = text
  return text
}

function slotOf(buf: Buffer, start: number, end: number): number {
  const length = end - start
  let hash = length * 31 + buf[start]!
  hash = hash * 31 + buf[start + (length >> 1)]!
  hash = hash * 31 + buf[end - 1]!
  hash = hash * 31 + buf[start + ((length * 3) >> 2)]!
  return (hash ^ (hash >> 10)) & (SLOTS - 1)
}

function matches(buf: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (buf[start + i] !== text.charCodeAt(i)) return false
  return true
}
