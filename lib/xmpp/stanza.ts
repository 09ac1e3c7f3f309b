// One message, presence or iq: text until somebody looks inside. The strict reader hands over the
// content as it came, with an index of the children at depth 1; a tree is built only of what is
// asked for, and forwarding means writing a new root tag around the same text. Immutable: changing
// one means a new one.
//
// Texts of attributes and content are wire text that stays right under a default namespace of
// 'jabber:client'; `id`, `to` and `from` are real Unicode. Addresses are for the session and the
// stream, which check them; everybody else reads the envelope.

import { Element, escapeXml, serialize, toWire, type Wire } from './element.js'
import { readTraits } from './message-children.js'
import { NS_CLIENT, NS_SERVER } from './namespaces.js'
import { indexChildren, indexOne, type StanzaChild } from './stanza-children.js'
import { partsOf } from './stanza-text.js'
import { NO_PREFIXES, parseTree, type Scope, setAttribute } from './tree.js'

export type { StanzaChild }

export type StanzaKind = 'message' | 'presence' | 'iq'

export interface StanzaParts {
  readonly kind: StanzaKind
  readonly type: string
  readonly id: string
  readonly to: string | undefined
  readonly from: string | undefined
  readonly lang: string
  readonly attributes: Wire
  readonly content: Wire
  readonly children: readonly StanzaChild[]
}

export interface StanzaChanges {
  type?: string
  id?: string
  append?: Wire
}

const NO_CHILDREN: readonly StanzaChild[] = []

export class Stanza {
  readonly kind: StanzaKind
  /** '' when absent */
  readonly type: string
  /** '' when absent */
  readonly id: string
  /** As the sender wrote it */
  readonly to: string | undefined
  /** As the sender wrote it */
  readonly from: string | undefined
  /** xml:lang, '' when absent */
  readonly lang: string
  /** The root's attributes other than to, from and the default namespace, each with a space before it. */
  readonly attributes: Wire
  /** What is between the root's tags, '' when empty. */
  readonly content: Wire
  /** The children at depth 1, namespaces resolved; those of the stanza itself are in 'jabber:client'. */
  readonly children: readonly StanzaChild[]
  #parsed: (Element | undefined)[] | undefined
  #element: Element | undefined
  #traits = -1
  /** Of a text that goes to many: whom it is from, and what stands before and behind the address. */
  #sender: Wire | undefined
  #before: Wire | undefined
  #behind: Wire = ''

  constructor(parts: StanzaParts) {
    this.kind = parts.kind
    this.type = parts.type
    this.id = parts.id
    this.to = parts.to
    this.from = parts.from
    this.lang = parts.lang
    this.attributes = parts.attributes
    this.content = parts.content
    this.children = parts.children
  }

  /** From a tree whose children are in 'jabber:client' unless they say otherwise. */
  static of(element: Element): Stanza {
    const { content, children } = contentOf(element)
    const { to, from, type, id } = element.attrs
    return new Stanza({
      kind: element.getName() as StanzaKind,
      type: type ?? '',
      id: id ?? '',
      to: to ?? undefined,
      from: from ?? undefined,
      lang: element.attrs['xml:lang'] ?? '',
      attributes: attributesOf(element),
      content,
      children,
    })
  }

  /** From text that `render` once made, or other text that the reader let through. */
  static parse(wire: Wire): Stanza {
    const parts = partsOf(wire)
    return parts ? new Stanza(parts) : Stanza.of(parseTree(wire))
  }

  /** What a message is, in the bits of message-children.ts. */
  get traits(): number {
    const traits = this.#traits
    return traits >= 0 ? traits : (this.#traits = readTraits(this))
  }

  has(name: string, xmlns: string): boolean {
    return this.#find(name, xmlns) >= 0
  }

  hasNamespace(xmlns: string): boolean {
    for (const child of this.children) if (child.xmlns === xmlns) return true
    return false
  }

  /** Its own tree, detached from the stanza's; treat it as frozen. */
  child(name: string, xmlns: string): Element | undefined {
    const index = this.#find(name, xmlns)
    if (index < 0) return undefined
    this.#parsed ??= []
    return (this.#parsed[index] ??= this.#parse(this.children[index]!))
  }

  /** Text of a child in the stanza's own namespace: body, subject, show, status, priority. */
  text(name: string): string | undefined {
    return this.child(name, NS_CLIENT)?.getText()
  }

  /** The whole tree; treat it as frozen. */
  get element(): Element {
    return (this.#element ??= this.#tree())
  }

  /** Without some of its children; itself when none of them is dropped. */
  without(drop: (child: StanzaChild) => boolean): Stanza {
    const kept: StanzaChild[] = []
    let content = ''
    let from = 0
    for (const child of this.children) {
      if (drop(child)) {
        content += this.content.slice(from, child.start)
        from = child.end
      } else kept.push(moved(child, content.length - from))
    }
    if (kept.length === this.children.length) return this
    return this.#copy({ content: content + this.content.slice(from), children: kept })
  }

  with(changes: StanzaChanges): Stanza {
    const { type = this.type, id = this.id, append = '' } = changes
    const offset = this.content.length
    const added = append
      ? indexChildren(append, { xmlns: NS_CLIENT, prefixes: this.#prefixes })
      : NO_CHILDREN
    return this.#copy({
      type,
      id,
      attributes: replaced(replaced(this.attributes, 'type', changes.type), 'id', changes.id),
      content: this.content + append,
      children: [...this.children, ...added.map((child) => moved(child, offset))],
    })
  }

  /** The text to send. Addresses are as they stand in an attribute; '' leaves one out. */
  render(from: Wire, to: Wire, more: Wire = '', xmlns: Wire = ''): Wire {
    if (more === '' && xmlns === '' && to !== '' && from !== '') return this.#copyFor(from, to)
    let out = xmlns === '' ? `<${this.kind}` : `<${this.kind} xmlns='${xmlns}'`
    out += this.attributes
    if (from !== '') out += ` from='${from}'`
    if (to !== '') out += ` to='${to}'`
    if (this.content === '' && more === '') return `${out}/>`
    return `${out}>${this.content}${more}</${this.kind}>`
  }

  /** Of the second copy on only the address at its head is new. */
  #copyFor(from: Wire, to: Wire): Wire {
    if (from !== this.#sender) {
      this.#sender = from
      this.#before = undefined
    } else if (this.#before === undefined) {
      this.#before = flat(`<${this.kind}${this.attributes} from='${from}' to='`)
      this.#behind = flat(this.content === '' ? `'/>` : `'>${this.content}</${this.kind}>`)
    }
    if (this.#before !== undefined) return this.#before + to + this.#behind
    const head = `<${this.kind}${this.attributes} from='${from}' to='${to}'`
    return this.content === '' ? `${head}/>` : `${head}>${this.content}</${this.kind}>`
  }

  #find(name: string, xmlns: string): number {
    const children = this.children
    for (let i = 0; i < children.length; i++) {
      if (children[i]!.name === name && children[i]!.xmlns === xmlns) return i
    }
    return -1
  }

  #parse(child: StanzaChild): Element {
    const scope: Scope = { xmlns: NS_CLIENT, prefixes: this.#prefixes }
    return parseTree(this.content.slice(child.start, child.end), scope)
  }

  #tree(): Element {
    const root = parseTree(this.render('', '', '', NS_CLIENT))
    if (this.to !== undefined) root.attrs.to = this.to
    if (this.from !== undefined) root.attrs.from = this.from
    return root
  }

  /** What the root declares for its children. */
  get #prefixes(): ReadonlyMap<string, string> {
    if (!this.attributes.includes('xmlns:')) return NO_PREFIXES
    const prefixes = new Map<string, string>()
    const { attrs } = parseTree(`<x${this.attributes}/>`)
    for (const name in attrs)
      if (name.startsWith('xmlns:')) prefixes.set(name.slice(6), attrs[name])
    return prefixes
  }

  #copy(changes: Partial<StanzaParts>): Stanza {
    return new Stanza({
      kind: this.kind,
      type: changes.type ?? this.type,
      id: changes.id ?? this.id,
      to: this.to,
      from: this.from,
      lang: this.lang,
      attributes: changes.attributes ?? this.attributes,
      content: changes.content ?? this.content,
      children: changes.children ?? this.children,
    })
  }
}

function moved(child: StanzaChild, by: number): StanzaChild {
  if (by === 0) return child
  return { name: child.name, xmlns: child.xmlns, start: child.start + by, end: child.end + by }
}

/** In one piece: otherwise each copy would be gathered from its parts anew. */
function flat(wire: Wire): Wire {
  return Buffer.from(wire, 'latin1').toString('latin1')
}

const ATTRIBUTE = /\s([^\s=]+)\s*=\s*(?:'[^']*'|"[^"]*")/g

function replaced(attributes: Wire, name: string, value: string | undefined): Wire {
  if (value === undefined) return attributes
  const others = attributes.replace(ATTRIBUTE, (all, key) => (key === name ? '' : all))
  return value === '' ? others : ` ${name}='${toWire(escapeXml(value))}'${others}`
}

function attributesOf(element: Element): Wire {
  const root = new Element('x')
  for (const name in element.attrs) {
    if (name === 'to' || name === 'from' || name === 'xmlns') continue
    setAttribute(root, name, element.attrs[name])
  }
  return serialize(root).slice('<x'.length, -'/>'.length)
}

function contentOf(element: Element): { content: Wire; children: StanzaChild[] } {
  const inherited = defaultNamespace(element)
  const children: StanzaChild[] = []
  let content = ''
  for (const child of element.children) {
    const wire =
      child instanceof Element ? serialize(declared(child, inherited)) : characters(child)
    if (child instanceof Element) {
      const end = content.length + wire.length
      children.push({ ...indexOne(child, inherited ?? NS_CLIENT), start: content.length, end })
    }
    content += wire
  }
  return { content, children }
}

/** Undefined where children without a declaration are the stanza's own. */
function defaultNamespace(element: Element): string | undefined {
  const xmlns = element.attrs.xmlns
  return xmlns === NS_CLIENT || xmlns === NS_SERVER || !element.name.includes(':')
    ? undefined
    : xmlns
}

function declared(child: Element, inherited: string | undefined): Element {
  if (inherited === undefined || child.name.includes(':') || child.attrs.xmlns !== undefined)
    return child
  const copy = new Element(child.name, { xmlns: inherited })
  for (const name in child.attrs) setAttribute(copy, name, child.attrs[name])
  copy.children = child.children
  return copy
}

function characters(text: unknown): Wire {
  const holder = new Element('x')
  holder.children.push(String(text))
  return serialize(holder).slice('<x>'.length, -'</x>'.length)
}
