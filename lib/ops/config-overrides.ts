// Single keys from outside the file: --set a.b=c, and TERCET_A__B=c in the environment. They are laid
// over the tree before anything is checked, --set last. Their values are read like the file's.

import { emptyMap } from './config-tree.js'
import type { ConfigNode, Fault, MapNode } from './config-tree.js'
import { readYaml } from './config-yaml.js'
import { nearest } from './nearest.js'

export interface Override {
  readonly path: readonly string[]
  readonly written: string
  /** How a fault names it */
  readonly source: string
}

export interface Overrides {
  readonly overrides: readonly Override[]
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

const ENV_PREFIX = 'TERCET_'
/** failpoint.ts */
const SABOTAGE = ['TERCET_FAILPOINT', 'TERCET_BREAK']

/** "hosts.\"a.example\".admins=[x]": names with dots stand in double quotes. */
export function readSettings(settings: readonly string[]): Overrides {
  const overrides: Override[] = []
  const faults: Fault[] = []
  for (const setting of settings) {
    const match = /^((?:"[^"]*"|[^."=]+)(?:\.(?:"[^"]*"|[^."=]+))*)=(.*)$/s.exec(setting)
    if (!match) {
      faults.push({
        message: 'key=value is wanted, such as listen.c2s=5222',
        path: '',
        file: `--set ${setting.split('=')[0]}`,
      })
      continue
    }
    const path = match[1]!.match(/"[^"]*"|[^."]+/g)!.map((name) => name.replace(/^"|"$/g, ''))
    overrides.push({ path, written: match[2]!, source: `--set ${match[1]}` })
  }
  return { overrides, faults, warnings: [] }
}

/**
 * A variable whose first part is no key is only a warning: container platforms put names like
 * TERCET_PORT into the environment of everything that runs beside a service called tercet.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  keys: readonly string[],
): Overrides {
  const overrides: Override[] = []
  const warnings: Fault[] = []
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith(ENV_PREFIX) || env[name] === undefined) continue
    const path = name.slice(ENV_PREFIX.length).toLowerCase().split('__')
    if (keys.includes(path[0]!)) {
      overrides.push({ path, written: env[name], source: name })
    } else if (SABOTAGE.includes(name)) {
      const message = 'breaks what this server promises: for the fault tests alone'
      warnings.push({ message, path: '', file: name })
    } else {
      const near = nearest(path[0]!, keys)
      const hint = near === undefined ? '' : `: did you mean ${ENV_PREFIX}${near.toUpperCase()}?`
      warnings.push({ message: `this variable sets no key${hint}`, path: '', file: name })
    }
  }
  return { overrides, faults: [], warnings }
}

/** Changes the tree; names of the environment cannot hold a hyphen, so `known` finds the meant ones. */
export async function lay(
  root: MapNode,
  override: Override,
  known: (path: readonly string[]) => readonly string[],
): Promise<void> {
  const place = { file: override.source }
  const path: string[] = []
  let map = root
  for (const [at, name] of override.path.entries()) {
    const real = meant(name, [...map.entries.keys(), ...known(path)])
    path.push(real)
    const key = map.entries.get(real)?.key ?? place
    if (at === override.path.length - 1) {
      map.entries.set(real, { key: place, node: await readOverride(override, path) })
      return
    }
    const below = map.entries.get(real)?.node
    const next = below?.kind === 'map' ? below : emptyMap(place, [...path])
    if (next !== below) map.entries.set(real, { key, node: next })
    map = next
  }
}

function meant(name: string, names: readonly string[]): string {
  if (names.includes(name)) return name
  return names.find((candidate) => candidate.replaceAll('-', '_') === name) ?? name
}

// What is no YAML is a text: passwords and [::1]:5222 need no second pair of quotes.
async function readOverride(override: Override, path: readonly string[]): Promise<ConfigNode> {
  const { node, faults } = await readYaml({
    text: override.written,
    file: override.source,
    inline: true,
    path: [...path],
  })
  const asText = faults.length > 0 || isText(override.written)
  return asText
    ? { kind: 'scalar', path: [...path], place: { file: override.source }, value: override.written }
    : node
}

function isText(written: string): boolean {
  return /^\[[0-9a-fA-F:.]+\]:\d+$/.test(written)
}
