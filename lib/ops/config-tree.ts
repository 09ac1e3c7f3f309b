// The configuration as it was written: a tree whose every value knows its place, so that whoever
// finds a fault can point at it. It knows nothing of what keys mean. Bounds: 1 MiB of text, 16
// levels, 10,000 values; aliases are refused, so no text grows while it is read.

/** Where something was written: a line of a file, or an override that names itself. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface Fault extends Partial<Place> {
  readonly message: string
  /** Dotted: listen.c2s */
  readonly path: string
  /** The lines around it, with a mark below the place. */
  readonly frame?: string
}

export type Scalar = string | number | boolean | null

interface Written {
  readonly path: readonly string[]
  readonly place: Place
}
export interface ScalarNode extends Written {
  readonly kind: 'scalar'
  readonly value: Scalar
  /** A number as it was written: a password of digits keeps its zeros. */
  readonly source?: string
}
export interface ListNode extends Written {
  readonly kind: 'list'
  readonly items: readonly ConfigNode[]
}
export interface MapNode extends Written {
  readonly kind: 'map'
  readonly entries: Map<string, Entry>
}
export type ConfigNode = ScalarNode | ListNode | MapNode

export interface Entry {
  /** Where the key stands: a key that nobody knows is pointed at there. */
  readonly key: Place
  readonly node: ConfigNode
}

export function emptyMap(place: Place, path: readonly string[] = []): MapNode {
  return { kind: 'map', path, place, entries: new Map() }
}

/** As a plain value; objects have no prototype, so no name in a file reaches one. */
export function plainValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainValue)
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, entry] of node.entries) object[name] = plainValue(entry.node)
  return object
}

/** A key that has a dot or a space is quoted, so that a path can be used with --set. */
export function showPath(path: readonly string[]): string {
  return path.map((name) => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name))).join('.')
}

const AROUND = 1
const WIDEST = 110

/** One line before and after, and a mark under the column. */
export function frame(text: string, line: number, column: number): string {
  const lines = text.split(/\r\n|\n|\r/)
  const first = Math.max(1, line - AROUND)
  const last = Math.min(lines.length, line + AROUND)
  const width = String(last).length
  // A place far to the right is shown by moving the window, not by wrapping.
  const from = column > WIDEST ? column - Math.floor(WIDEST / 2) : 0
  const rows: string[] = []
  for (let at = first; at <= last; at++) {
    const shown = visible(lines[at - 1] ?? '').slice(from, from + WIDEST)
    rows.push(`${at === line ? '>' : ' '} ${String(at).padStart(width)} | ${shown}`.trimEnd())
    if (at === line)
      rows.push(`  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1 - from))}^`)
  }
  return rows.join('\n')
}

// Control characters must not reach a terminal, and a tab is one column here.
function visible(line: string): string {
  return line.replace(/\t/g, ' ').replace(/[\x00-\x1f\x7f-\x9f]/g, '�')
}
