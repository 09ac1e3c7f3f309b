// The attributes of the start tag being read, as ranges relative to the unit's first byte. Those of
// the unit's root stay at the front until the unit ends, because the stanza is made from them.

import { decodeAttribute } from '../xmpp/tree.js'
import { latin1 } from './xml-bytes.js'
import { illFormed } from './xml-characters.js'
import { intern } from './xml-names.js'

export class Attributes {
  /** Where the current element's attributes begin */
  base = 0
  count = 0
  readonly nameStart: number[] = []
  readonly nameEnd: number[] = []
  /** -1 without a prefix */
  readonly colon: number[] = []
  readonly valueStart: number[] = []
  readonly valueEnd: number[] = []
  /** Not 0 where the value is more than plain ASCII: references, white space, longer characters */
  readonly complex: number[] = []
  /** Of attributes with a prefix, while they are compared */
  readonly xmlns: string[] = []

  name(start: number, end: number, colon: number): void {
    this.nameStart[this.count] = start
    this.nameEnd[this.count] = end
    this.colon[this.count] = colon
  }

  value(start: number, end: number, complex: number): void {
    this.valueStart[this.count] = start
    this.valueEnd[this.count] = end
    this.complex[this.count] = complex
    this.count++
  }

  /** The whole name, or the prefix, is `xmlns`. */
  declares(buf: Buffer, base: number, index: number): boolean {
    const start = this.nameStart[index]!
    const colon = this.colon[index]!
    if ((colon < 0 ? this.nameEnd[index]! : colon) - start !== 5) return false
    const at = base + start
    return (
      buf[at] === 0x78 &&
      buf[at + 1] === 0x6d &&
      buf[at + 2] === 0x6c &&
      buf[at + 3] === 0x6e &&
      buf[at + 4] === 0x73
    )
  }

  /** The value as real text. */
  text(buf: Buffer, base: number, index: number): string {
    const start = base + this.valueStart[index]!
    const end = base + this.valueEnd[index]!
    return this.complex[index] ? decodeAttribute(latin1(buf, start, end)) : intern(buf, start, end)
  }

  /** XML 1.0 §3.1: no attribute name more than once. */
  checkDuplicates(buf: Buffer, base: number): void {
    for (let a = this.base + 1; a < this.count; a++) {
      for (let b = this.base; b < a; b++) {
        if (
          this.#same(
            buf,
            base + this.nameStart[a]!,
            base + this.nameEnd[a]!,
            base + this.nameStart[b]!,
            this.nameEnd[b]! - this.nameStart[b]!,
          )
        ) {
          throw illFormed('attribute given twice')
        }
      }
    }
  }

  /** The same local name in the same namespace, under two prefixes. */
  checkExpanded(buf: Buffer, base: number, a: number): void {
    const start = base + this.colon[a]! + 1
    for (let b = this.base; b < a; b++) {
      if (this.xmlns[b] !== this.xmlns[a]) continue
      const length = this.nameEnd[b]! - this.colon[b]! - 1
      if (this.#same(buf, start, base + this.nameEnd[a]!, base + this.colon[b]! + 1, length)) {
        throw illFormed('attribute given twice')
      }
    }
  }

  #same(buf: Buffer, start: number, end: number, other: number, length: number): boolean {
    if (end - start !== length) return false
    for (let i = 0; i < length; i++) if (buf[start + i] !== buf[other + i]) return false
    return true
  }
}
