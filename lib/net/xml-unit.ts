// What a finished unit becomes: a stanza that shares nothing with the bytes it came from, or a
// small tree. A stanza whose text would mean something else on a plain 'jabber:client' stream (its
// root has a prefix, or another content namespace is declared again inside) is written anew from
// its tree.

import { type Element, elements, escapeXml, toWire, type Wire } from '../xmpp/element.js'
import { NS_CLIENT } from '../xmpp/namespaces.js'
import { Stanza, type StanzaKind } from '../xmpp/stanza.js'
import { decodeAttribute, parseTree } from '../xmpp/tree.js'
import { latin1 } from './xml-bytes.js'
import { checkEncoding, checkNonCharacters, EF, WIDE } from './xml-characters.js'
import type { Frame } from './xml-bindings.js'
import type { Scanner } from './xml-scanner.js'

/** Above this, texts of attributes are copied, so that a kept id does not keep a huge tag alive. */
const LARGE_TAG = 1024

export function checkCharacters(scanner: Scanner, buf: Buffer): void {
  const end = scanner.base + scanner.length
  if (scanner.seen & WIDE) checkEncoding(buf, scanner.base, end)
  if (scanner.seen & EF) checkNonCharacters(buf, scanner.base, end)
}

export function isStanzaName(name: string): boolean {
  return name === 'message' || name === 'presence' || name === 'iq'
}

export function elementOf(scanner: Scanner, buf: Buffer, frame: Frame): Element {
  const root = parseTree(latin1(buf, scanner.base, scanner.base + scanner.length), frame)
  // Nothing is declared around it: its children must not come under 'jabber:client' by accident.
  if (frame.xmlns === '' && scanner.rootPrefixed) root.attrs.xmlns ??= ''
  return root
}

/** An element without content and with one attribute at most, as it takes no tree to read it. */
export interface Brief {
  readonly name: string
  readonly xmlns: string
  /** '' where it has none */
  readonly attribute: string
  readonly value: string
}

export function briefOf(scanner: Scanner, buf: Buffer): Brief | undefined {
  const { rootName: name, rootXmlns: xmlns, attributes, base, rootAttributes } = scanner
  if (scanner.contentEnd > scanner.contentStart) return undefined
  let found = -1
  for (let k = 0; k < rootAttributes; k++) {
    if (attributes.declares(buf, base, k)) continue
    if (found >= 0 || attributes.colon[k]! >= 0 || attributes.complex[k]) return undefined
    found = k
  }
  if (found < 0) return { name, xmlns, attribute: '', value: '' }
  const attribute = latin1(
    buf,
    base + attributes.nameStart[found]!,
    base + attributes.nameEnd[found]!,
  )
  const value = latin1(
    buf,
    base + attributes.valueStart[found]!,
    base + attributes.valueEnd[found]!,
  )
  return { name, xmlns, attribute, value }
}

export function stanzaOf(scanner: Scanner, buf: Buffer, frame: Frame): Stanza {
  const foreign = scanner.redeclared && frame.content !== NS_CLIENT
  if (foreign || scanner.rootPrefixed)
    return Stanza.of(translated(elementOf(scanner, buf, frame), frame))
  const stanza = plainStanza(scanner, buf)
  return scanner.bindings.borrowed.length === 0 ? stanza : carrying(stanza, scanner, frame)
}

/** The content namespace of a stream between servers is 'jabber:client' inside of us. */
function translated(element: Element, frame: Frame): Element {
  for (const name in element.attrs) {
    const declares = name === 'xmlns' || name.startsWith('xmlns:')
    if (declares && element.attrs[name] === frame.content) element.attrs[name] = NS_CLIENT
  }
  for (const child of elements(element)) translated(child, frame)
  return element
}

/** With the declarations of the stream header that it uses. */
function carrying(stanza: Stanza, scanner: Scanner, frame: Frame): Stanza {
  let attributes = stanza.attributes
  for (const prefix of scanner.bindings.borrowed) {
    const xmlns = frame.prefixes.get(prefix)!
    const ours = xmlns === frame.content ? NS_CLIENT : xmlns
    attributes += toWire(` xmlns:${prefix}='${escapeXml(ours)}'`)
  }
  return new Stanza({ ...stanza, attributes })
}

function plainStanza(scanner: Scanner, buf: Buffer): Stanza {
  const { base, contentStart, contentEnd, rootAttributes } = scanner
  const root = new Root(latin1(buf, base, base + contentStart), scanner)
  for (let k = 0; k < rootAttributes; k++) root.take(buf, k)
  return new Stanza({
    kind: scanner.rootName as StanzaKind,
    type: root.type,
    id: root.id,
    to: root.to,
    from: root.from,
    lang: root.lang,
    attributes: root.attributes,
    content: contentEnd > contentStart ? latin1(buf, base + contentStart, base + contentEnd) : '',
    children: scanner.children,
  })
}

const ID = 0x6964
const TO = 0x746f
const TYPE = 0x7479
const FROM = 0x6672

/** Sorts the attributes of a stanza's start tag. */
class Root {
  type = ''
  id = ''
  to: string | undefined
  from: string | undefined
  lang = ''
  attributes: Wire = ''
  readonly #tag: Wire
  readonly #scanner: Scanner

  constructor(tag: Wire, scanner: Scanner) {
    this.#tag = tag
    this.#scanner = scanner
  }

  take(buf: Buffer, k: number): void {
    const { base, attributes } = this.#scanner
    const start = base + attributes.nameStart[k]!
    const colon = attributes.colon[k]!
    const length = attributes.nameEnd[k]! - attributes.nameStart[k]!
    if (colon >= 0) {
      if (length === 8 && latin1(buf, start, start + 8) === 'xml:lang')
        this.lang = this.#value(buf, k)
      this.#keep(k)
      return
    }
    const first = (buf[start]! << 8) | buf[start + 1]!
    if (length === 2 && first === TO) this.to = this.#value(buf, k)
    else if (length === 4 && first === FROM && buf[start + 2] === 0x6f && buf[start + 3] === 0x6d)
      this.from = this.#value(buf, k)
    else if (length === 5 && attributes.declares(buf, base, k)) return
    else {
      if (length === 2 && first === ID) this.id = this.#value(buf, k)
      if (length === 4 && first === TYPE && buf[start + 2] === 0x70 && buf[start + 3] === 0x65)
        this.type = this.#value(buf, k)
      this.#keep(k)
    }
  }

  #keep(k: number): void {
    const { nameStart, valueEnd } = this.#scanner.attributes
    this.attributes += ` ${this.#tag.slice(nameStart[k]!, valueEnd[k]! + 1)}`
  }

  #value(buf: Buffer, k: number): string {
    const { base, attributes } = this.#scanner
    const start = attributes.valueStart[k]!
    const end = attributes.valueEnd[k]!
    if (attributes.complex[k]) return decodeAttribute(this.#tag.slice(start, end))
    if (this.#tag.length > LARGE_TAG) return latin1(buf, base + start, base + end)
    return this.#tag.slice(start, end)
  }
}
