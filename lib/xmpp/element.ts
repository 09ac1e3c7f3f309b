// Trees of XML, for whoever looks inside a stanza. The tree is ltx's Element; building one is
// `xml(name, xmlns, ...children)`.
//
// Wire text is UTF-8 seen as latin1: one character per byte. All text that comes from a socket or
// goes to one has this form, so ASCII costs nothing and nobody encodes twice. A tree holds real
// Unicode; `toWire` and `fromWire` are the only bridges.

import { Element } from 'ltx'

export { Element }

/** UTF-8 bytes as a string with one character per byte. */
export type Wire = string

export type Child = Element | string | undefined

export function xml(
  name: string,
  attributes?: string | Record<string, string | undefined>,
  ...children: Child[]
): Element {
  const element = new Element(
    name,
    typeof attributes === 'string' ? { xmlns: attributes } : clean(attributes),
  )
  for (const child of children) if (child !== undefined) element.cnode(child as Element)
  return element
}

function clean(attributes: Record<string, string | undefined> = {}): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const key in attributes) {
    const value = attributes[key]
    if (value !== undefined) kept[key] = value
  }
  return kept
}

const ASCII = /^[\x00-\x7f]*$/

export function toWire(text: string): Wire {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

export function fromWire(wire: Wire): string {
  return ASCII.test(wire) ? wire : Buffer.from(wire, 'latin1').toString('utf8')
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

/** For attribute values and text alike; white space that a parser would normalise is kept. */
export function escapeXml(text: string): string {
  return /[&<>"'\t\n\r]/.test(text) ? text.replace(/[&<>"'\t\n\r]/g, (c) => ESCAPES[c]!) : text
}

// Characters that XML 1.0 cannot carry at all: whoever made such a tree gets them removed.
const ILLEGAL =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export function serialize(element: Element): Wire {
  return toWire(text(element).replace(ILLEGAL, ''))
}

function text(element: Element): string {
  let out = `<${element.name}`
  for (const key in element.attrs) {
    const value = element.attrs[key]
    if (value !== undefined && value !== null) out += ` ${key}='${escapeXml(String(value))}'`
  }
  if (element.children.length === 0) return `${out}/>`
  out += '>'
  for (const child of element.children) {
    out += child instanceof Element ? text(child) : escapeText(String(child))
  }
  return `${out}</${element.name}>`
}

function escapeText(value: string): string {
  return /[&<>\r]/.test(value) ? value.replace(/[&<>\r]/g, (c) => ESCAPES[c]!) : value
}

/** The child elements, without the text between them. */
export function elements(parent: Element): Element[] {
  return parent.children.filter((child): child is Element => child instanceof Element)
}
