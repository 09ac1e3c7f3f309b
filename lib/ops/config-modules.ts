// The `modules` of the configuration: names and options against the heads, which come in as values.
// A name that starts with ./, ../ or / is a file of the operator's, beside the configuration.

import { resolve } from 'node:path'
import { unknownName } from './config-fault.js'
import type { ConfigReader } from './config-reader.js'
import { isEmpty } from './config-reader.js'
import type { ConfigNode, Entry, MapNode } from './config-tree.js'
import type { Options } from './options.js'

/** What the configuration must know of a module. */
export interface ModuleHead {
  readonly name: string
  readonly config?: Options | undefined
}

export type ModuleOptions = Readonly<Record<string, unknown>> | false
export type ModuleSettings = Readonly<Record<string, ModuleOptions>>

export function isModulePath(name: string): boolean {
  return /^(\.{1,2})?\//.test(name)
}

export interface HeadSource {
  readonly heads: readonly ModuleHead[]
  /** Loads the head of a module that stands in a file of the operator's. */
  readonly loadHead?: ((path: string) => Promise<ModuleHead>) | undefined
}

/** Heads by name as written; paths are loaded before anything is checked against them. */
export class Heads {
  readonly #known: Map<string, ModuleHead>
  readonly #names: readonly string[]
  readonly #load: HeadSource['loadHead']

  constructor(source: HeadSource) {
    this.#known = new Map(source.heads.map((head) => [head.name, head]))
    this.#names = [...this.#known.keys()]
    this.#load = source.loadHead
  }

  async loadPaths(node: ConfigNode | undefined, reader: ConfigReader): Promise<void> {
    if (node?.kind !== 'map') return
    for (const [name, entry] of node.entries) {
      if (!isModulePath(name) || this.#known.has(name) || switchedOff(entry.node)) continue
      try {
        const head = await this.#load?.(resolve(reader.around.folder, name))
        if (head) this.#known.set(name, head)
        if (head && this.#names.includes(head.name)) {
          reader.list.at(
            entry.key,
            entry.node.path,
            `there is a module ${head.name} already: give this one another name`,
          )
        }
      } catch (error) {
        reader.list.at(
          entry.key,
          entry.node.path,
          `this module cannot be loaded: ${(error as Error).message}`,
        )
        this.#known.set(name, { name })
      }
    }
  }

  get(name: string): ModuleHead | undefined {
    return this.#known.get(name)
  }

  get names(): readonly string[] {
    return this.#names
  }
}

export function readModules(
  node: ConfigNode | undefined,
  reader: ConfigReader,
  heads: Heads,
): ModuleSettings {
  const settings = Object.create(null) as Record<string, ModuleOptions>
  for (const [name, entry] of reader.map(node)?.entries ?? []) {
    const options = readModule({ name, entry }, reader, heads)
    if (options === undefined) continue
    settings[isModulePath(name) ? resolve(reader.around.folder, name) : name] = options
    // A module from a path is loaded by its path and finds its options by its name.
    const head = isModulePath(name) ? heads.get(name) : undefined
    if (head) settings[head.name] = options
  }
  return settings
}

function readModule(
  { name, entry }: { name: string; entry: Entry },
  reader: ConfigReader,
  heads: Heads,
): ModuleOptions | undefined {
  // What is switched off need not exist: a configuration for a later version works here too.
  if (switchedOff(entry.node)) return false
  const head = heads.get(name)
  if (!head) {
    reader.list.at(entry.key, entry.node.path, unknownName('module', name, heads.names))
    return undefined
  }
  if (isEmpty(entry.node) || (entry.node.kind === 'scalar' && entry.node.value === true)) return {}
  if (entry.node.kind === 'map') return readOptions(entry.node, head, reader)
  reader.list.add(entry.node, 'options of the module, true or false are wanted')
  return undefined
}

function readOptions(node: MapNode, head: ModuleHead, reader: ConfigReader): ModuleOptions {
  const options = Object.create(null) as Record<string, unknown>
  const known = head.config ?? {}
  for (const [name, entry] of node.entries) {
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (!option) {
      reader.list.at(
        entry.key,
        entry.node.path,
        unknownName(`option of ${head.name}`, name, Object.keys(known)),
      )
    } else if (!isEmpty(entry.node)) {
      const written = reader.option(entry.node, option)
      if (written !== undefined) options[name] = written
    }
  }
  return options
}

function switchedOff(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === false
}

/** A host's modules over the global ones, option by option; false and a map replace each other. */
export function mergeModules(global: ModuleSettings, host: ModuleSettings): ModuleSettings {
  const merged = Object.assign(Object.create(null), global) as Record<string, ModuleOptions>
  for (const [name, options] of Object.entries(host)) {
    const below = merged[name]
    merged[name] = options && below ? { ...below, ...options } : options
  }
  return merged
}
