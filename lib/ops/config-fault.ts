// The list of what is wrong and what is odd, gathered while the tree is read; nothing stops at the
// first fault. It knows the text of the file, so that every fault brings its code frame.

import { faultAt } from './config-yaml.js'
import type { ConfigNode, Fault, Place } from './config-tree.js'
import { nearest } from './nearest.js'

export class FaultList {
  readonly faults: Fault[] = []
  readonly warnings: Fault[] = []
  readonly #texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  add(node: ConfigNode, message: string): void {
    this.at(node.place, node.path, message)
  }

  at(place: Place, path: readonly string[], message: string): void {
    this.faults.push(this.#fault(place, path, message))
  }

  warn(node: ConfigNode, message: string): void {
    this.warnings.push(this.#fault(node.place, node.path, message))
  }

  #fault(place: Place, path: readonly string[], message: string): Fault {
    const text = this.#texts.get(place.file)
    return faultAt({ message, place, path, ...(text !== undefined && { text }) })
  }
}

/** "there is no key c2s_tl here: did you mean c2s_tls?" */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name).slice(1, -1)
  if (near !== undefined) return `there is no ${what} ${shown}: did you mean ${near}?`
  return known.length > 0
    ? `there is no ${what} ${shown}: known are ${known.join(', ')}`
    : `there is no ${what} ${shown}`
}

/** In the order in which an operator reads them. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  return [...faults].sort(
    (a, b) =>
      Number(a.line === undefined) - Number(b.line === undefined) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
}
