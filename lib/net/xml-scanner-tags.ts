// The second part of the scanner: names, start tags and attributes. What an element means (its
// namespace, its place) is left to the scanner proper.

import {
  BLANK,
  CLASS,
  NAME,
  SPACE,
  START,
  VALUE_STOP,
  WIDE,
  checkWideName,
  illFormed,
  tooMuch,
} from './xml-characters.js'
import {
  ATTRIBUTE_NAME,
  EMPTY,
  EQUALS,
  FOUND_NOTHING,
  QUOTE,
  TAG,
  TextScanner,
  VALUE,
  VALUE_REFERENCE,
} from './xml-scanner-text.js'

export abstract class TagScanner extends TextScanner {
  /** The header or root was an empty-element tag. */
  empty = false
  protected elements = 0
  // By depth; offsets, and the colon is -1 in a name without prefix
  protected readonly nameStart: number[] = [0]
  protected readonly nameEnd: number[] = [0]
  protected readonly colons: number[] = [0]
  #quote = 0
  #spaced = false

  /** A start tag is complete. */
  protected abstract opened(buf: Buffer, i: number): number
  /** An element is complete. */
  protected abstract ended(i: number): number

  /** To the end of a name; a second colon ends it, and nothing that may follow a name begins so. */
  protected name(buf: Buffer, i: number, end: number): number {
    let kinds = this.kinds
    for (; i < end; i++) {
      const kind = CLASS[buf[i]!]!
      if (kind & NAME) kinds |= kind
      else if (buf[i] === 0x3a && this.colon < 0) this.colon = i - this.base
      else break
    }
    this.kinds = kinds
    if (i - this.base - this.mark > this.limits.name) throw tooMuch('name too long')
    return i
  }

  protected checkName(buf: Buffer, end: number): void {
    const start = this.base + this.mark
    if (!(CLASS[buf[start]!]! & START)) throw illFormed('illegal name')
    const local = this.colon < 0 ? start : this.base + this.colon + 1
    if (!(CLASS[buf[local]!]! & START)) throw illFormed('illegal name')
    if (!(this.kinds & WIDE)) return
    this.seen |= this.kinds
    if (local > start) checkWideName(buf, start, local - 1)
    checkWideName(buf, local, end)
  }

  protected elementName(buf: Buffer, i: number, end: number): number {
    i = this.name(buf, i, end)
    if (i === end) return i
    this.checkName(buf, i)
    this.nested(i - this.base)
    this.colons[this.depth] = this.colon
    this.state = TAG
    this.#spaced = false
    return this.tag(buf, i, end)
  }

  /** One level deeper, in an element whose name lies from the mark to `nameEnd`. */
  protected nested(nameEnd: number): void {
    const depth = ++this.depth
    if (++this.elements > this.limits.elements) throw tooMuch('too many elements')
    if (depth > this.limits.depth) throw tooMuch('elements nested too deep')
    this.nameStart[depth] = this.mark
    this.nameEnd[depth] = nameEnd
    this.colons[depth] = -1
    this.attributes.count = this.attributes.base
  }

  protected tag(buf: Buffer, i: number, end: number): number {
    for (; i < end; i++) {
      const kind = CLASS[buf[i]!]!
      if (kind & SPACE) this.#spaced = true
      else if (kind & START && this.#spaced)
        return this.attributeName(buf, this.enter(ATTRIBUTE_NAME, i), end)
      else return this.tagEnd(buf, i)
    }
    return i
  }

  protected tagEnd(buf: Buffer, i: number): number {
    if (buf[i] === 0x3e) return this.opened(buf, i + 1)
    if (buf[i] !== 0x2f) throw illFormed('unexpected character in a tag')
    this.state = EMPTY
    return i + 1
  }

  protected emptyTag(buf: Buffer, i: number): number {
    if (buf[i] !== 0x3e) throw illFormed('unexpected character in a tag')
    if (this.depth === 1) this.empty = true
    i = this.opened(buf, i + 1)
    return this.found === FOUND_NOTHING ? this.ended(i) : i
  }

  protected attributeName(buf: Buffer, i: number, end: number): number {
    i = this.name(buf, i, end)
    if (i === end) return i
    this.checkName(buf, i)
    this.attributes.name(this.mark, i - this.base, this.colon)
    this.state = EQUALS
    return this.equals(buf, i, end)
  }

  protected equals(buf: Buffer, i: number, end: number): number {
    if (buf[i] === 0x3d) {
      this.state = QUOTE
      return i + 1 < end ? this.openingQuote(buf, i + 1, end) : i + 1
    }
    if (!(CLASS[buf[i]!]! & SPACE)) throw illFormed('attribute without a value')
    return i + 1
  }

  protected openingQuote(buf: Buffer, i: number, end: number): number {
    const byte = buf[i]!
    if (CLASS[byte]! & SPACE) return i + 1
    if (byte !== 0x22 && byte !== 0x27) throw illFormed('attribute value without quotes')
    this.#quote = byte
    this.attributes.valueStart[this.attributes.count] = i + 1 - this.base
    return this.value(buf, this.enter(VALUE, i + 1), end)
  }

  protected value(buf: Buffer, i: number, end: number): number {
    const quote = this.#quote
    let kinds = this.kinds
    for (; i < end; i++) {
      const kind = CLASS[buf[i]!]!
      if (kind & VALUE_STOP && buf[i] !== 0x22 + 0x27 - quote) break
      kinds |= kind
    }
    this.kinds = kinds
    return i < end ? this.valueStop(buf, i) : i
  }

  protected valueStop(buf: Buffer, i: number): number {
    const byte = buf[i]
    if (byte === 0x26) {
      this.state = VALUE_REFERENCE
      this.kinds |= BLANK
      this.mark = i + 1 - this.base
      return i + 1
    }
    if (byte !== this.#quote) throw illFormed('illegal character in an attribute value')
    this.seen |= this.kinds
    this.attributes.value(this.mark, i - this.base, this.kinds & (WIDE | BLANK))
    if (this.attributes.count - this.attributes.base > this.limits.attributes)
      throw tooMuch('too many attributes')
    this.state = TAG
    this.#spaced = false
    return i + 1
  }
}
