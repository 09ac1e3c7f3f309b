// Patterns of XML: what is named in the pattern must be there, everything else may be.

import { type Element, elements } from '../../lib/xmpp/element.js'
import { parseTree } from '../../lib/xmpp/tree.js'
import { toWire } from '../../lib/xmpp/element.js'

export function parsePattern(text: string): Element {
  const element = parseTree(toWire(text.trim().replace(/>\s+</g, '><')))
  if (!element) throw new Error(`this pattern is no element: ${text}`)
  return element
}

/** What keeps an element from matching, or undefined where it matches. */
export function mismatch(actual: Element, pattern: Element): string | undefined {
  if (actual.getName() !== pattern.getName()) return `<${actual.name}> is not <${pattern.name}>`
  const xmlns = pattern.getNS()
  if (xmlns && xmlns !== 'jabber:client' && actual.getNS() !== xmlns)
    return `<${actual.name}> is in ${actual.getNS()}, not ${xmlns}`
  for (const [name, value] of Object.entries(pattern.attrs)) {
    if (name.startsWith('xmlns')) continue
    if (actual.attrs[name] !== value)
      return `${name} of <${actual.name}> is ${actual.attrs[name]}, not ${value}`
  }
  return childMismatch(actual, pattern)
}

function childMismatch(actual: Element, pattern: Element): string | undefined {
  const children = elements(pattern)
  if (children.length === 0) {
    const text = pattern.text()
    return text !== '' && actual.text() !== text
      ? `<${actual.name}> says '${actual.text()}', not '${text}'`
      : undefined
  }
  for (const child of children) {
    const tried = elements(actual).map((candidate) => mismatch(candidate, child))
    if (!tried.includes(undefined))
      return `<${actual.name}> has no child like ${child} (${tried.join('; ')})`
  }
  return undefined
}
