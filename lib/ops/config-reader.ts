// Reads a map of the tree by declared keys: unknown keys, wrong values and what this version cannot do
// become faults, everything else values. A key without a value counts as not written.

import { unknownName } from './config-fault.js'
import type { FaultList } from './config-fault.js'
import type { Key, Keys } from './config-keys.js'
import { pathOf, readSecret, readablePath, standsElsewhere } from './config-secrets.js'
import type { Surroundings } from './config-secrets.js'
import { plainValue } from './config-tree.js'
import type { ConfigNode, MapNode } from './config-tree.js'
import type { Option } from './options.js'
import { resolve } from 'node:path'

export interface Found {
  readonly value: unknown
  readonly node: ConfigNode
}
/** What was written and is well formed, by key. */
export type Section = ReadonlyMap<string, Found>

export class ConfigReader {
  readonly list: FaultList
  readonly around: Surroundings

  constructor(list: FaultList, around: Surroundings) {
    this.list = list
    this.around = around
  }

  /** The map at this place; undefined where nothing is written or it is no map (a fault). */
  map(node: ConfigNode | undefined): MapNode | undefined {
    if (!node || isEmpty(node)) return undefined
    if (node.kind === 'map') return node
    this.list.add(node, 'keys with values are wanted here')
    return undefined
  }

  section(
    node: ConfigNode | undefined,
    keys: Keys,
    elsewhere: (name: string) => string | undefined = () => undefined,
  ): Section {
    const found = new Map<string, Found>()
    for (const [name, entry] of this.map(node)?.entries ?? []) {
      const key = Object.hasOwn(keys, name) ? keys[name] : undefined
      if (!key) {
        const message = elsewhere(name) ?? unknownName('key', name, Object.keys(keys))
        this.list.at(entry.key, entry.node.path, message)
      } else if (!isEmpty(entry.node)) {
        const value = this.#value(entry.node, key)
        if (value !== undefined) found.set(name, { value, node: entry.node })
      }
    }
    return found
  }

  #value(node: ConfigNode, key: Key): unknown {
    if (key.kind === 'section') return key.keys ? this.section(node, key.keys) : node
    const value = key.each
      ? this.#entries(node, key)
      : this.attempt(node, key, () => this.#written(node, key))
    const problem = value === undefined ? undefined : key.later?.(value)
    if (problem?.refuse) this.list.add(node, problem.say)
    else if (problem) this.list.warn(node, problem.say)
    return problem?.refuse ? undefined : value
  }

  #written(node: ConfigNode, key: Key): unknown {
    if (key.kind === 'path') return readablePath(this.#path(node, key))
    if (key.kind === 'secret' && standsElsewhere(node))
      return key.read(readSecret(node, this.around))
    return key.read(writtenValue(node, key.kind))
  }

  #path(node: ConfigNode, key: Key): string {
    if (standsElsewhere(node)) return pathOf(node, this.around)
    return resolve(this.around.folder, key.read(plainValue(node)) as string)
  }

  #entries(node: ConfigNode, key: Key): unknown[] | undefined {
    const items = node.kind === 'list' ? node.items : [node]
    const values: unknown[] = []
    let good = true
    for (const item of items) {
      const read = this.attempt(item, key, () => ({ value: key.each!(plainValue(item)) }))
      if (read) values.push((read as { value: unknown }).value)
      else good = false
    }
    return good ? values : undefined
  }

  /** A module's option: its value as written, texts from elsewhere filled in; undefined after a fault. */
  option(node: ConfigNode, option: Option): unknown {
    const faults = this.list.faults.length
    const written = this.attempt(node, option, () => {
      const elsewhere = option.kind === 'text' && standsElsewhere(node)
      const value = elsewhere ? readSecret(node, this.around) : writtenValue(node, option.kind)
      if (!this.#entryFaults(node, option)) option.read(value)
      return value
    })
    return this.list.faults.length > faults ? undefined : written
  }

  // The list as a whole is refused; whoever reads it wants to know which entry.
  #entryFaults(node: ConfigNode, option: Option): boolean {
    if (option.kind !== 'list' || node.kind !== 'list') return false
    const bad = node.items.filter((item) => !accepts(option, [plainValue(item)]))
    for (const item of bad) this.attempt(item, option, () => option.read([plainValue(item)]))
    return bad.length > 0
  }

  attempt<T>(node: ConfigNode, option: Ranged, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      this.list.add(node, (error as Error).message + allowed(option))
      return undefined
    }
  }
}

type Ranged = Pick<Option, 'min' | 'max' | 'unit'> & { readonly kind: string }

function accepts(option: Option, written: unknown): boolean {
  try {
    option.read(written)
    return true
  } catch {
    return false
  }
}

export function isEmpty(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null
}

function writtenValue(node: ConfigNode, kind: Key['kind']): unknown {
  const number =
    node.kind === 'scalar' && node.source !== undefined && typeof node.value === 'number'
  return number && (kind === 'text' || kind === 'secret') ? node.source : plainValue(node)
}

/** " (allowed: 1 to 256)": the whole range, not only the side that was missed. */
function allowed(option: Ranged): string {
  const range = showRange(option)
  return range === '' ? '' : ` (allowed: ${range})`
}

export function showRange({ kind, min, max, unit }: Ranged): string {
  const show = (value: number) => showAmount(value, kind) + (unit === undefined ? '' : ` ${unit}`)
  if (min !== undefined && max !== undefined) return `${showAmount(min, kind)} to ${show(max)}`
  if (min !== undefined) return `${show(min)} or more`
  return max === undefined ? '' : `up to ${show(max)}`
}

const STEPS: Record<string, readonly (readonly [number, string])[]> = {
  duration: [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
    [1000, 'second'],
    [1, 'ms'],
  ],
  bytes: [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
    [1, 'bytes'],
  ],
}

/** In the largest unit that divides it, as an operator would write it. */
export function showAmount(value: number, kind: string): string {
  if (value === Number.POSITIVE_INFINITY) return 'forever'
  const step = STEPS[kind]?.find(([size]) => value % size === 0 && value > 0)
  if (!step) return STEPS[kind] && value > 0 ? `${value} ${STEPS[kind]!.at(-1)![1]}` : String(value)
  const count = value / step[0]
  const plural = kind === 'duration' && step[1] !== 'ms' && count !== 1 ? 's' : ''
  return `${count} ${step[1]}${plural}`
}
