// Trees from wire text that the strict reader has let through. It checks nothing: whoever has text
// from outside goes through net/xml-document or a stream's reader first. It decodes what readers
// leave alone: entities, character references, CDATA, and the white space that XML 1.0 §2.11 and
// §3.3.3 normalise. Declarations stay attributes, so that getNS() works.

import { Element, fromWire, type Wire } from './element.js'

/** What is in scope where a piece of text was cut out: its default namespace and its prefixes. */
export interface Scope {
  readonly xmlns: string
  readonly prefixes: ReadonlyMap<string, string>
}

export const NO_PREFIXES: ReadonlyMap<string, string> = new Map()

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const BANG = 0x21
const SLASH = 0x2f
const LT = 0x3c
const EQUALS = 0x3d
const GT = 0x3e
const QUESTION = 0x3f

/** The tree of one element. With a scope its root declares what it takes from there. */
export function parseTree(wire: Wire, scope?: Scope): Element {
  const root = new Builder(wire).build()
  if (scope) inherit(root, scope, wire)
  return root
}

function inherit(root: Element, scope: Scope, wire: Wire): void {
  if (scope.xmlns && !root.name.includes(':')) root.attrs.xmlns ??= scope.xmlns
  for (const [prefix, xmlns] of scope.prefixes) {
    if (wire.includes(`${prefix}:`)) root.attrs[`xmlns:${prefix}`] ??= xmlns
  }
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', apos: "'", quot: '"' }

function reference(name: string): string {
  if (name.charCodeAt(0) !== 0x23) return ENTITIES[name] ?? ''
  const hex = name.charCodeAt(1) === 0x78
  return String.fromCodePoint(Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10))
}

function dereference(text: string): string {
  return text.includes('&') ? text.replace(/&([^;]+);/g, (_, name) => reference(name)) : text
}

/** Real text of wire text between tags. */
export function decodeText(wire: Wire): string {
  const text = fromWire(wire)
  return dereference(text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)
}

/** Real text of an attribute's wire text, without its quotes. */
export function decodeAttribute(wire: Wire): string {
  const text = fromWire(wire)
  return dereference(/[\t\n\r]/.test(text) ? text.replace(/\r\n|[\t\n\r]/g, ' ') : text)
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === CR
}

/** Plain assignment would lose an attribute of this name. */
export function setAttribute(element: Element, name: string, value: string): void {
  if (name !== '__proto__') element.attrs[name] = value
  else Object.defineProperty(element.attrs, name, { value, enumerable: true, writable: true })
}

class Builder {
  readonly #wire: Wire
  #at = 0
  #open: Element | undefined

  constructor(wire: Wire) {
    this.#wire = wire
  }

  build(): Element {
    this.#at = this.#find('<', 0)
    for (;;) {
      const root = this.#markup()
      if (root) return root
      this.#text()
    }
  }

  #text(): void {
    const end = this.#find('<', this.#at)
    if (end > this.#at) this.#append(decodeText(this.#wire.slice(this.#at, end)))
    this.#at = end
  }

  #append(text: string): void {
    const children = this.#open?.children
    if (!children || text === '') return
    const last = children.length - 1
    if (typeof children[last] === 'string') children[last] += text
    else children.push(text)
  }

  /** At '<'; hands out the root when that has ended. */
  #markup(): Element | undefined {
    const next = this.#wire.charCodeAt(this.#at + 1)
    if (next === SLASH) return this.#end()
    if (next === BANG) return this.#cdata()
    if (next === QUESTION) return this.#declaration()
    return this.#start()
  }

  #end(): Element | undefined {
    this.#at = this.#find('>', this.#at) + 1
    return this.#leave()
  }

  #leave(): Element | undefined {
    const element = this.#open!
    this.#open = element.parent ?? undefined
    return this.#open ? undefined : element
  }

  #cdata(): undefined {
    const end = this.#find(']]>', this.#at)
    this.#append(fromWire(this.#wire.slice(this.#at + 9, end)).replace(/\r\n?/g, '\n'))
    this.#at = end + 3
  }

  #declaration(): undefined {
    this.#at = this.#find('?>', this.#at) + 2
  }

  #start(): Element | undefined {
    const element = new Element(this.#name(this.#at + 1))
    if (this.#open) this.#open.cnode(element)
    this.#open = element
    for (;;) {
      const code = this.#skip()
      if (code === GT) break
      if (code === SLASH) {
        this.#at += 2
        return this.#leave()
      }
      this.#attribute(element)
    }
    this.#at++
    return undefined
  }

  #attribute(element: Element): void {
    const wire = this.#wire
    const name = this.#name(this.#at)
    this.#at = this.#find('=', this.#at) + 1
    this.#skip()
    const end = this.#find(wire.charAt(this.#at) || '=', this.#at + 1)
    setAttribute(element, name, decodeAttribute(wire.slice(this.#at + 1, end)))
    this.#at = end + 1
  }

  /** The text was validated; were it cut all the same, this must end and not go on for ever. */
  #find(text: string, from: number): number {
    const at = this.#wire.indexOf(text, from)
    if (at < 0) throw new Error('this text ends in the middle of an element')
    return at
  }

  #skip(): number {
    let code = this.#wire.charCodeAt(this.#at)
    while (isSpace(code)) code = this.#wire.charCodeAt(++this.#at)
    return code
  }

  #name(start: number): string {
    const wire = this.#wire
    let at = start
    for (;;) {
      const code = wire.charCodeAt(at)
      if (
        Number.isNaN(code) ||
        isSpace(code) ||
        code === EQUALS ||
        code === GT ||
        code === SLASH ||
        code === LT
      )
        break
      at++
    }
    this.#at = at
    return fromWire(wire.slice(start, at))
  }
}
