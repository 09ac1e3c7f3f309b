// The shallow index of a stanza's children, for content that does not come from the reader (which
// makes its own on the way): what a module appends, and trees.

import { type Element, fromWire, type Wire } from './element.js'
import { parseTree, type Scope } from './tree.js'

/** A child at depth 1: `start` and `end` are its range in the stanza's content. */
export interface StanzaChild {
  readonly name: string
  readonly xmlns: string
  readonly start: number
  readonly end: number
}

/** Name and namespace of a child under a root with this default namespace. */
export function indexOne(child: Element, inherited: string): { name: string; xmlns: string } {
  const prefixed = child.name.includes(':')
  const own = prefixed ? child.getNS() : (child.attrs.xmlns ?? inherited)
  return { name: child.getName(), xmlns: own ?? '' }
}

/** The children of well-formed content. */
export function indexChildren(content: Wire, scope: Scope): StanzaChild[] {
  const children: StanzaChild[] = []
  let at = content.indexOf('<')
  while (at >= 0) {
    const end = elementEnd(content, at)
    if (content.charCodeAt(at + 1) !== 0x21) {
      const { name, xmlns } = headOf(content.slice(at, tagEnd(content, at)), scope)
      children.push({ name, xmlns, start: at, end })
    }
    at = content.indexOf('<', end)
  }
  return children
}

const UNDECLARED = /^<([\w.-]+)[\s/>]/
const DECLARED = /^<([\w.-]+)\s+xmlns=(?:'([^'&\s]*)'|"([^"&\s]*)")[\s/>]/

/** Most need no tree. */
function headOf(tag: Wire, scope: Scope): { name: string; xmlns: string } {
  const match = (tag.includes('xmlns') ? DECLARED : UNDECLARED).exec(tag)
  if (match) return { name: match[1]!, xmlns: fromWire(match[2] ?? match[3] ?? scope.xmlns) }
  return indexOne(parseTree(tag.replace(/\/?>$/, '/>'), scope), scope.xmlns)
}

/** Where the element (or CDATA section) that begins here ends. */
function elementEnd(content: Wire, start: number): number {
  let depth = 0
  let at = start
  do {
    const end = tagEnd(content, at)
    const next = content.charCodeAt(at + 1)
    if (next === 0x2f) depth--
    else if (next !== 0x21 && content.charCodeAt(end - 2) !== 0x2f) depth++
    at = depth > 0 ? found(content.indexOf('<', end)) : end
  } while (depth > 0)
  return at
}

/** After the '>' that ends the tag (or after the CDATA section) that begins here. */
export function tagEnd(content: Wire, start: number): number {
  if (content.charCodeAt(start + 1) === 0x21) return found(content.indexOf(']]>', start)) + 3
  for (let at = start; at < content.length; at++) {
    const code = content.charCodeAt(at)
    if (code === 0x3e) return at + 1
    if (code === 0x22 || code === 0x27) at = found(content.indexOf(content.charAt(at), at + 1))
  }
  return found(-1)
}

/** The text was validated; were it cut all the same, this must end and not go on for ever. */
function found(at: number): number {
  if (at < 0) throw new Error('this text ends in the middle of an element')
  return at
}
