// The strict tokenizer for one unit: a whole element at depth 1 of a stream, a stream header, an
// XML declaration, or the closing tag. It is a state machine over bytes that may stop anywhere and
// go on when more has come. This last part knows structure: what a unit is, end tags, the index of children.
//
// An error shows at the same byte however the input was cut. Encodings are checked by whoever takes
// the finished unit.

import { StreamError } from '../xmpp/errors.js'
import { NS_CLIENT, NS_STREAM } from '../xmpp/namespaces.js'
import type { StanzaChild } from '../xmpp/stanza.js'
import type { Frame } from './xml-bindings.js'
import { CLASS, SPACE, START, illFormed, restricted } from './xml-characters.js'
import type { XmlLimits } from './xml-limits.js'
import { knownTag, rememberTag } from './xml-known-tags.js'
import { NamespaceScanner } from './xml-scanner-namespaces.js'
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

export class Scanner extends NamespaceScanner {
  /** The unit's length, once it is complete */
  length = 0
  rootName = ''
  rootPrefixed = false
  rootXmlns = ''
  rootAttributes = 0
  contentStart = 0
  contentEnd = 0
  children: StanzaChild[] = []
  #expect = EXPECT_ELEMENT
  #childStart = 0
  #childName = ''
  #childXmlns = ''

  /** To be called at '<'. */
  begin(frame: Frame, limits: XmlLimits, expect: number): void {
    this.frame = frame
    this.limits = limits
    this.#expect = expect
    this.state = FIRST
    this.elements = 0
    this.depth = 0
    this.defaults[0] = frame.xmlns
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
        return this.#markup(buf, i, end)
      case ELEMENT_NAME:
        return this.elementName(buf, i, end)
      case TAG:
        return this.tag(buf, i, end)
      case ATTRIBUTE_NAME:
        return this.attributeName(buf, i, end)
      case EQUALS:
        return this.equals(buf, i, end)
      case QUOTE:
        return this.openingQuote(buf, i, end)
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
        return this.#first(buf, i, end)
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

  #first(buf: Buffer, i: number, end: number): number {
    const byte = buf[i]!
    if (CLASS[byte]! & START) return this.#start(buf, i, end)
    if (byte === 0x3f && this.#expect & EXPECT_DECLARATION) return this.enter(DECLARATION, i + 1)
    if (byte === 0x2f && this.frame.name !== '') return this.enter(END_NAME, i + 1)
    if (byte === 0x00 && this.#expect & EXPECT_HEADER) throw new StreamError('unsupported-encoding')
    return this.#markup(buf, i, end)
  }

  #markup(buf: Buffer, i: number, end: number): number {
    const byte = buf[i]!
    if (byte === 0x2f && this.depth > 0) return this.#endName(buf, this.enter(END_NAME, i + 1), end)
    if (CLASS[byte]! & START) return this.#start(buf, i, end)
    if (byte === 0x21) return this.enter(CDATA_START, i + 1)
    if (byte === 0x3f) throw restricted('processing instruction')
    throw illFormed('unexpected character after <')
  }

  // Start tags

  #start(buf: Buffer, i: number, end: number): number {
    this.enter(ELEMENT_NAME, i)
    const tag = this.depth > 0 ? knownTag(buf, i, end) : undefined
    if (tag === undefined) return this.elementName(buf, i, end)
    this.nested(this.mark + tag.name.length)
    this.#placed(tag.name, this.enclose(tag.xmlns))
    i += tag.text.length
    return tag.empty ? this.ended(i) : i
  }

  protected opened(buf: Buffer, i: number): number {
    const depth = this.depth
    const xmlns = this.namespaces(buf, depth)
    const name = this.local(buf, depth)
    if (depth === 1) this.#openedRoot(name, xmlns, i)
    else {
      this.#placed(name, xmlns)
      if (this.plain(buf))
        rememberTag(buf, this.base + this.nameStart[depth]!, {
          name,
          xmlns: this.ownNamespace,
          end: i,
        })
    }
    return i
  }

  /** RFC 6120 §4.8.1: nothing of the stream itself is inside of an element. */
  #placed(name: string, xmlns: string): void {
    this.state = TEXT
    if (xmlns === NS_STREAM) throw new StreamError('bad-format', 'stream element inside a stanza')
    if (this.depth !== 2) return
    this.#childStart = this.nameStart[2]! - 1
    this.#childName = name
    this.#childXmlns = xmlns === this.frame.content ? NS_CLIENT : xmlns
  }

  #openedRoot(name: string, xmlns: string, i: number): void {
    this.state = TEXT
    this.rootName = name
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
    const name = this.frame.name
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
    this.bindings.count = this.bound[depth]!
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
