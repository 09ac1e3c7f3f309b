// A part of a tree as an element that stands alone: the namespaces that it has from further out it
// declares itself. Whoever keeps or sends a part of what somebody else wrote cuts it out; otherwise a
// prefix may be left that nobody declares, which breaks the stream of whoever gets it.

import { Element } from './element.js'
import { setAttribute } from './tree.js'

/** Shares its children with the part. */
export function cutOut(part: Element): Element {
  const alone = new Element(part.name)
  for (const name in part.attrs) setAttribute(alone, name, part.attrs[name])
  for (let outer = part.parent; outer; outer = outer.parent) {
    for (const name in outer.attrs) {
      if (name in alone.attrs || !isDeclaration(name)) continue
      if (name === 'xmlns' || uses(part, name.slice('xmlns:'.length)))
        setAttribute(alone, name, outer.attrs[name])
    }
  }
  alone.children = part.children
  return alone
}

function isDeclaration(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:')
}

/** Where an inner element declares it again, once more does no harm. */
function uses(element: Element, prefix: string): boolean {
  const start = `${prefix}:`
  if (element.name.startsWith(start)) return true
  for (const name in element.attrs) if (name.startsWith(start)) return true
  return element.children.some((child) => child instanceof Element && uses(child, prefix))
}
