// The first part of the scanner: its state, and what stands between tags (text, references, CDATA,
// the XML declaration). A method reads from `i` in the bytes at hand and says how far it came; it
// stops where its token ends or the bytes do, and is called again when more has come. Everything
// remembered is an offset relative to the unit's first byte, so the bytes may move meanwhile.

import { StreamError } from '../xmpp/errors.js'
import { Attributes } from './xml-attributes.js'
import { latin1 } from './xml-bytes.js'
import {
  CLASS,
  NAME,
  SPACE,
  TEXT_STOP,
  VALUE_STOP,
  checkReference,
  illFormed,
  restricted,
  tooMuch,
} from './xml-characters.js'
import { authenticatedLimits, type XmlLimits } from './xml-limits.js'

export const FIRST = 1
export const ELEMENT_NAME = 2
export const TAG = 3
export const ATTRIBUTE_NAME = 4
export const EQUALS = 5
export const QUOTE = 6
export const VALUE = 7
export const VALUE_REFERENCE = 8
export const EMPTY = 9
export const TEXT = 10
export const TEXT_REFERENCE = 11
export const MARKUP = 12
export const END_NAME = 13
export const END_SPACE = 14
export const CDATA_START = 15
export const CDATA = 16
export const DECLARATION = 17

/** How a unit ended */
export const FOUND_NOTHING = 0
export const FOUND_ELEMENT = 1
export const FOUND_HEADER = 2
export const FOUND_DECLARATION = 3
export const FOUND_END = 4

const CDATA_MARK = '[CDATA['
const DECLARATION_MARK = 'xml'
const LONGEST_REFERENCE = 64
const LONGEST_DECLARATION = 256

export class TextScanner {
  found = FOUND_NOTHING
  /** Where the unit begins in the bytes at hand */
  base = 0
  /** Classes of all bytes of text, values and wide names */
  seen = 0
  readonly attributes = new Attributes()
  protected limits: XmlLimits = authenticatedLimits
  protected state = FIRST
  /** Where the current token begins */
  protected mark = 0
  /** In the current name, -1 without one */
  protected colon = -1
  /** Classes of the bytes of the current token */
  protected kinds = 0
  /** How many elements are open */
  protected depth = 0

  protected enter(state: number, mark: number): number {
    this.state = state
    this.mark = mark - this.base
    this.colon = -1
    this.kinds = 0
    return mark
  }

  protected text(buf: Buffer, i: number, end: number): number {
    let seen = this.seen
    for (; i < end; i++) {
      const kind = CLASS[buf[i]!]!
      if (kind & TEXT_STOP) break
      seen |= kind
    }
    this.seen = seen
    return i < end ? this.textStop(buf, i) : i
  }

  protected textStop(buf: Buffer, i: number): number {
    const byte = buf[i]
    if (byte === 0x3c) this.state = MARKUP
    else if (byte === 0x26) return this.enter(TEXT_REFERENCE, i + 1)
    else if (byte !== 0x3e) throw illFormed('illegal character')
    else if (buf[i - 1] === 0x5d && buf[i - 2] === 0x5d) throw illFormed(']]> in text')
    return i + 1
  }

  protected reference(buf: Buffer, i: number, end: number): number {
    const start = this.base + this.mark
    while (i < end && (CLASS[buf[i]!]! & NAME || buf[i] === 0x23 || buf[i] === 0x3a)) i++
    if (i - start > LONGEST_REFERENCE) throw tooMuch('reference too long')
    if (i === end) return i
    if (buf[i] !== 0x3b || i === start) throw illFormed('unfinished reference')
    checkReference(latin1(buf, start, i))
    this.state = this.state === TEXT_REFERENCE ? TEXT : VALUE
    if (this.state === VALUE) this.mark = this.attributes.valueStart[this.attributes.count]!
    return i + 1
  }

  protected cdataStart(buf: Buffer, i: number): number {
    const at = i - this.base - this.mark
    if (buf[i] !== CDATA_MARK.charCodeAt(at)) throw this.declared(buf[i]!, at)
    if (this.depth === 0) throw new StreamError('bad-format', 'CDATA between stanzas')
    return at + 1 < CDATA_MARK.length ? i + 1 : this.enter(CDATA, i + 1)
  }

  /** After '<!': a comment, DOCTYPE or what stands inside of one (RFC 6120 §11.1). */
  protected declared(byte: number, at: number): StreamError {
    const begins = at === 0 && (byte === 0x2d || (byte >= 0x41 && byte <= 0x5a))
    return begins ? restricted('comment or DTD') : illFormed('unexpected character after <!')
  }

  protected cdata(buf: Buffer, i: number, end: number): number {
    for (; i < end; i++) {
      const byte = buf[i]!
      const kind = CLASS[byte]!
      this.seen |= kind & ~(TEXT_STOP | VALUE_STOP)
      if (byte === 0x3e && buf[i - 1] === 0x5d && buf[i - 2] === 0x5d) {
        this.state = TEXT
        return i + 1
      }
      if (byte < 0x20 && !(kind & SPACE)) throw illFormed('illegal character')
    }
    return i
  }

  protected declaration(buf: Buffer, i: number): number {
    const at = i - this.base - this.mark
    const byte = buf[i]!
    if (at >= LONGEST_DECLARATION) throw tooMuch('XML declaration too long')
    if (at < 3 ? byte !== DECLARATION_MARK.charCodeAt(at) : at === 3 && !(CLASS[byte]! & SPACE)) {
      throw restricted('processing instruction')
    }
    if (byte === 0x3e && buf[i - 1] === 0x3f) this.found = FOUND_DECLARATION
    return i + 1
  }
}
