// The strict tokenizer for one unit: a whole element at depth 1 of a stream, a stream header, an
// XML declaration, or the closing tag. It is a state machine over bytes that may stop anywhere and
// go on when more has come. This last third knows structure: namespaces, end tags, the index of
// children.
//
// An error shows at the same byte however the input was cut. Encodings are checked by whoever takes
// the finished unit.

import { StreamError } from '../xmpp/errors.js'
import { NS_CLIENT, NS_STREAM } from '../xmpp/namespaces.js'
import type { StanzaChild } from '../xmpp/stanza.js'
import { Bindings, type Frame, NO_FRAME } from './xml-bindings.js'
import { CLASS, SPACE, START, illFormed, restricted, tooMuch } from './xml-characters.js'
import type { XmlLimits } from './xml-limits.js'
import { intern } from './xml-names.js'
import { TagScanner } from './xml-scanner-tags.js'
import {
  ATTRIBUTE_NAME,
  CDATA,
  CDATA_START,
  DECLARATION,
  ELEMENT_NAME,
  EMPTY,
  END_NAME,
  END_SPACE,
  EQUALS,
  FIRST,
  FOUND_ELEMENT,
  FOUND_END,
  FOUND_HEADER,
  FOUND_NOTHING,
  MARKUP,
  QUOTE,
  TAG,
  TEXT,
  TEXT_REFERENCE,
  VALUE,
  VALUE_REFERENCE,
} from './xml-scanner-text.js'

/** What may come: bits. */
export const EXPECT_ELEMENT = 0
export const EXPECT_HEADER = 1
export const EXPECT_DECLARATION = 2

export class Scanner extends TagScanner {
  /** The unit's length, once it is complete */
  length = 0
  rootName = ''
  rootPrefixed = false
  rootXmlns = ''
  rootAttributes = 0
  contentStart = 0
  contentEnd = 0
  children: StanzaChild[] = []
  /** Declares the content namespace once more somewhere inside */
  redeclared = false
  readonly bindings = new Bindings()
  #frame: Frame = NO_FRAME
  #expect = EXPECT_ELEMENT
  #childStart = 0
  #childName = ''
  #childXmlns = ''
  // By depth: how many bindings lie outside, and the default namespace
  readonly #bound: number[] = [0]
  readonly #default: string[] = ['']

  /** To be called at '<'. */
  begin(frame: Frame, limits: XmlLimits, expect: number): void {
    this.#frame = frame
    this.limits = limits
    this.#expect = expect
    this.state = FIRST
    this.elements = 0
    this.depth = 0
    this.#default[0] = frame.xmlns
    this.found = FOUND_NOTHING
    this.seen = 0
    this.empty = false
    this.redeclared = false
    this.children = []
    this.attributes.base = 0
    this.attributes.count = 0
    this.bindings.clear()
  }

  /** Reads from `i`, which lies after the '<', to the end of the unit or of what is there. */
  scan(buf: Buffer, i: number, end: number): number {
    while (i < end && this.found === FOUND_NOTHING) i = this.#step(buf, i, end)
    this.length = i - this.base
    return i
  }

  #step(buf: Buffer, i: number, end: number): number {
    switch (this.state) {
      case TEXT:
        return this.text(buf, i, end)
      case MARKUP:
        return this.#markup(buf, i)
      case ELEMENT_NAME:
        return this.elementName(buf, i, end)
      case TAG:
        return this.tag(buf, i, end)
      case ATTRIBUTE_NAME:
        return this.attributeName(buf, i, end)
      case EQUALS:
        return this.equals(buf, i)
      case QUOTE:
        return this.openingQuote(buf, i)
      case VALUE:
        return this.value(buf, i, end)
      case END_NAME:
        return this.#endName(buf, i, end)
      default:
        return this.#rareStep(buf, i, end)
    }
  }

  #rareStep(buf: Buffer, i: number, end: number): number {
    switch (this.state) {
      case FIRST:
        return this.#first(buf, i)
      case EMPTY:
        return this.emptyTag(buf, i)
      case END_SPACE:
        return this.#endSpace(buf, i)
      case TEXT_REFERENCE:
      case VALUE_REFERENCE:
        return this.reference(buf, i, end)
      case CDATA_START:
        return this.cdataStart(buf, i)
      case CDATA:
        return this.cdata(buf, i, end)
      default:
        return this.declaration(buf, i)
    }
  }

  // Before and between elements

  #first(buf: Buffer, i: number): number {
    const byte = buf[i]!
    if (CLASS[byte]! & START) return this.enter(ELEMENT_NAME, i)
    if (byte === 0x3f && this.#expect & EXPECT_DECLARATION) return this.enter(DECLARATION, i + 1)
    if (byte === 0x2f && this.#frame.name !== '') return this.enter(END_NAME, i + 1)
    if (byte === 0x00 && this.#expect & EXPECT_HEADER) throw new StreamError('unsupported-encoding')
    return this.#markup(buf, i)
  }

  #markup(buf: Buffer, i: number): number {
    const byte = buf[i]!
    if (byte === 0x2f && this.depth > 0) return this.enter(END_NAME, i + 1)
    if (CLASS[byte]! & START) return this.enter(ELEMENT_NAME, i)
    if (byte === 0x21) return this.enter(CDATA_START, i + 1)
    if (byte === 0x3f) throw restricted('processing instruction')
    throw illFormed('unexpected character after <')
  }

  // Start tags

  protected opened(buf: Buffer, i: number): number {
    const depth = this.depth
    const xmlns = this.#namespaces(buf, depth)
    this.state = TEXT
    if (depth === 1) this.#openedRoot(buf, i, xmlns)
    else if (xmlns === NS_STREAM)
      throw new StreamError('bad-format', 'stream element inside a stanza')
    else if (depth === 2) {
      this.#childStart = this.nameStart[2]! - 1
      this.#childName = this.#local(buf, 2)
      this.#childXmlns = xmlns === this.#frame.content ? NS_CLIENT : xmlns
    }
    return i
  }

  #openedRoot(buf: Buffer, i: number, xmlns: string): void {
    this.rootName = this.#local(buf, 1)
    this.rootPrefixed = this.colons[1]! >= 0
    this.rootXmlns = xmlns
    this.rootAttributes = this.attributes.count
    this.attributes.base = this.attributes.count
    this.contentStart = i - this.base
    this.contentEnd = this.contentStart
    if (this.#expect & EXPECT_HEADER) this.found = FOUND_HEADER
    else if (xmlns === NS_STREAM && this.rootName === 'stream') {
      throw new StreamError('bad-format', 'a stream inside of a stream')
    }
  }

  #local(buf: Buffer, depth: number): string {
    const colon = this.colons[depth]!
    return intern(
      buf,
      this.base + (colon < 0 ? this.nameStart[depth]! : colon + 1),
      this.base + this.nameEnd[depth]!,
    )
  }

  // Namespaces

  /** Takes the declarations of the tag just read, checks its attributes, and says its namespace. */
  #namespaces(buf: Buffer, depth: number): string {
    const attributes = this.attributes
    this.#bound[depth] = this.bindings.count
    this.#default[depth] = this.#default[depth - 1]!
    let prefixed = 0
    for (let k = attributes.base; k < attributes.count; k++) {
      if (attributes.declares(buf, this.base, k)) this.#declare(buf, k)
      else if (attributes.colon[k]! >= 0) prefixed++
    }
    if (attributes.count > attributes.base + 1) attributes.checkDuplicates(buf, this.base)
    if (prefixed > 0) this.#checkPrefixed(buf)
    const colon = this.colons[depth]!
    if (colon < 0) return this.#default[depth]!
    return this.#resolve(buf, this.nameStart[depth]!, colon)
  }

  #declare(buf: Buffer, k: number): void {
    const { colon, nameEnd } = this.attributes
    const prefix =
      colon[k]! < 0 ? '' : intern(buf, this.base + colon[k]! + 1, this.base + nameEnd[k]!)
    const xmlns = this.attributes.text(buf, this.base, k)
    this.bindings.declare(prefix, xmlns)
    if (this.bindings.count > this.limits.declarations) throw tooMuch('too many namespaces')
    if (prefix === '') this.#default[this.depth] = xmlns
    if (xmlns === this.#frame.content && (prefix !== '' || this.depth > 1)) this.redeclared = true
  }

  #resolve(buf: Buffer, start: number, colon: number): string {
    return this.bindings.resolve(intern(buf, this.base + start, this.base + colon), this.#frame)
  }

  /** Namespaces in XML 1.0 §6.3: nor the same local name twice in one namespace. */
  #checkPrefixed(buf: Buffer): void {
    const attributes = this.attributes
    for (let a = attributes.base; a < attributes.count; a++) {
      const xmlns = (attributes.xmlns[a] = this.#attributeNamespace(buf, a))
      if (xmlns !== '') attributes.checkExpanded(buf, this.base, a)
    }
  }

  /** '' without a prefix, and for declarations. */
  #attributeNamespace(buf: Buffer, k: number): string {
    const colon = this.attributes.colon[k]!
    if (colon < 0 || this.attributes.declares(buf, this.base, k)) return ''
    return this.#resolve(buf, this.attributes.nameStart[k]!, colon)
  }

  // End tags

  #endName(buf: Buffer, i: number, end: number): number {
    const depth = this.depth
    if (depth === 0) return this.#streamEndName(buf, i, end)
    const shift = this.nameStart[depth]! - this.mark
    const stop = this.base + this.mark + this.nameEnd[depth]! - this.nameStart[depth]!
    for (; i < end && i < stop; i++) if (buf[i] !== buf[i + shift]) throw illFormed('wrong end tag')
    if (i === stop) this.state = END_SPACE
    return i
  }

  #streamEndName(buf: Buffer, i: number, end: number): number {
    const name = this.#frame.name
    const start = this.base + this.mark
    for (; i < end && i - start < name.length; i++) {
      if (buf[i] !== name.charCodeAt(i - start)) throw illFormed('wrong end tag')
    }
    if (i - start === name.length) this.state = END_SPACE
    return i
  }

  #endSpace(buf: Buffer, i: number): number {
    if (CLASS[buf[i]!]! & SPACE) return i + 1
    if (buf[i] !== 0x3e) throw illFormed('wrong end tag')
    if (this.depth === 0) this.found = FOUND_END
    if (this.depth === 1) this.contentEnd = this.mark - 2
    return this.depth === 0 ? i + 1 : this.ended(i + 1)
  }

  protected ended(i: number): number {
    const depth = this.depth--
    this.bindings.count = this.#bound[depth]!
    this.state = TEXT
    if (depth === 1) this.found = FOUND_ELEMENT
    if (depth === 2) this.#child(i)
    return i
  }

  #child(i: number): void {
    this.children.push({
      name: this.#childName,
      xmlns: this.#childXmlns,
      start: this.#childStart - this.contentStart,
      end: i - this.base - this.contentStart,
    })
  }
}
