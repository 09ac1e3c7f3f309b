// YAML 1.2 into the tree of config-tree.ts, with all faults of the text at once. The parser is loaded
// when there is something to parse: a start without a file does without it.

import type { Document, LineCounter, Node, Pair, YAMLMap, YAMLSeq } from 'yaml'
import { emptyMap, frame, showPath } from './config-tree.js'
import type { ConfigNode, Entry, Fault, Place, Scalar } from './config-tree.js'

const LONGEST_TEXT = 1024 * 1024
const DEEPEST = 16
const MOST_VALUES = 10_000

export interface YamlText {
  readonly text: string
  /** How places name it */
  readonly file: string
  /** An override is one line of its own: places in it have no line. */
  readonly inline?: boolean
  readonly path?: readonly string[]
}

export interface YamlTree {
  readonly node: ConfigNode
  readonly faults: readonly Fault[]
  /** It makes no sense as YAML, and the node is empty: what it means cannot be checked. */
  readonly broken: boolean
}

export async function readYaml(source: YamlText): Promise<YamlTree> {
  const nothing = emptyMap({ file: source.file }, source.path)
  if (source.text.length > LONGEST_TEXT) {
    return {
      node: nothing,
      broken: true,
      faults: [{ message: 'more than 1 MiB of configuration', path: '', file: source.file }],
    }
  }
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const builder = new TreeBuilder({ source, lines, yaml })
  const document = parse(yaml, source.text, lines)
  if (!document) {
    return {
      node: nothing,
      broken: true,
      faults: [{ message: 'nested too deeply', path: '', file: source.file }],
    }
  }
  builder.textFaults(document)
  const node = builder.broken ? nothing : builder.root(document)
  return { node: builder.broken ? nothing : node, broken: builder.broken, faults: builder.faults }
}

// Its parser is recursive: thousands of open brackets end in a RangeError, not in a fault of its own.
function parse(
  yaml: typeof import('yaml'),
  text: string,
  lineCounter: LineCounter,
): Document | undefined {
  const options = { lineCounter, version: '1.2', schema: 'core', uniqueKeys: false } as const
  try {
    return yaml.parseDocument(text, { ...options, prettyErrors: false, logLevel: 'error' })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

interface Making {
  source: YamlText
  lines: LineCounter
  yaml: typeof import('yaml')
}

class TreeBuilder {
  readonly faults: Fault[] = []
  /** The text makes no sense as YAML or is beyond the bounds: one fault would bring many. */
  broken = false
  #making: Making
  #values = 0

  constructor(making: Making) {
    this.#making = making
  }

  textFaults(document: Document): void {
    for (const error of [...document.errors, ...document.warnings]) {
      this.broken = true
      this.#fault(yamlSentence(error), this.#place(error.pos[0]), [])
    }
  }

  root(document: Document): ConfigNode {
    const path = this.#making.source.path ?? []
    if (document.contents) return this.#node(document.contents as Node, path)
    const place = this.#place(0)
    return path.length > 0 ? { kind: 'scalar', path, place, value: null } : emptyMap(place)
  }

  #node(node: Node, path: readonly string[]): ConfigNode {
    const { isAlias, isMap, isSeq } = this.#making.yaml
    const place = this.#place(node.range?.[0] ?? 0)
    const nothing: ConfigNode = { kind: 'scalar', path, place, value: null }
    if (isAlias(node)) {
      this.#fault('aliases are not read here: write the value out', place, path)
      return nothing
    }
    if (!this.#fits(place, path)) return nothing
    if (isMap(node)) return { kind: 'map', path, place, entries: this.#entries(node, path) }
    if (isSeq(node)) return { kind: 'list', path, place, items: this.#items(node, path) }
    return scalarNode(node as { value?: unknown; source?: string }, path, place)
  }

  #fits(place: Place, path: readonly string[]): boolean {
    this.#values++
    if (this.#values === MOST_VALUES + 1)
      this.#fault(`more than ${MOST_VALUES} values`, place, path)
    const depth = path.length - (this.#making.source.path?.length ?? 0)
    if (depth > DEEPEST) this.#fault(`nested more than ${DEEPEST} levels deep`, place, path)
    const fits = this.#values <= MOST_VALUES && depth <= DEEPEST
    if (!fits) this.broken = true
    return fits
  }

  #entries(map: YAMLMap, path: readonly string[]): Map<string, Entry> {
    const entries = new Map<string, Entry>()
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const key = this.#place(pair.key?.range?.[0] ?? map.range?.[0] ?? 0)
      if (!this.#making.yaml.isScalar(pair.key)) {
        this.#fault('a key is a plain text', key, path)
        continue
      }
      const name = String(pair.key.value)
      const inside = [...path, name]
      const before = entries.get(name)?.key
      if (before) {
        this.#fault(`this key was given in line ${before.line} already`, key, inside)
        continue
      }
      const node: ConfigNode = pair.value
        ? this.#node(pair.value, inside)
        : { kind: 'scalar', path: inside, place: key, value: null }
      entries.set(name, { key, node })
    }
    return entries
  }

  #items(list: YAMLSeq, path: readonly string[]): ConfigNode[] {
    return (list.items as Node[]).map((item, at) => this.#node(item, [...path, String(at)]))
  }

  #place(offset: number): Place {
    const { source, lines } = this.#making
    if (source.inline) return { file: source.file }
    const { line, col } = lines.linePos(offset)
    return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) }
  }

  #fault(message: string, place: Place, path: readonly string[]): void {
    this.faults.push(faultAt({ message, place, path, text: this.#making.source.text }))
  }
}

/** A fault with its code frame, where the place is a line of this text. */
export function faultAt(at: {
  message: string
  place: Place
  path: readonly string[]
  text?: string
}): Fault {
  const { line, column } = at.place
  const shown = at.text !== undefined &&
    line !== undefined && { frame: frame(at.text, line, column ?? 1) }
  return { message: at.message, path: showPath(at.path), ...at.place, ...shown }
}

function scalarNode(
  { value, source }: { value?: unknown; source?: string },
  path: readonly string[],
  place: Place,
): ConfigNode {
  const number = typeof value === 'number' && source !== undefined && { source }
  return { kind: 'scalar', path, place, value: scalar(value), ...number }
}

function scalar(value: unknown): Scalar {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  return value === null || value === undefined ? null : String(value)
}

const sentences: Record<string, string> = {
  TAB_AS_INDENT: 'a tab indents here: YAML wants spaces',
  BAD_INDENT: 'the indentation does not fit the lines above',
  MULTIPLE_DOCS: 'a second document starts here: one file is one configuration',
  MISSING_CHAR: 'a closing quote or bracket is missing, or a colon after a key',
  TAG_RESOLVE_FAILED: 'tags are not read here',
}

function yamlSentence(error: { code: string; message: string }): string {
  return `this is not YAML: ${sentences[error.code] ?? error.message}`
}
