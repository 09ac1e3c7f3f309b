// What must be the same on all nodes, of the configuration: hosts and what they are set to, their modules and
// the options of those, limits. Folders, ports, addresses and certificates are each node's own. A node shows
// the others a print of each part: which parts differ can be told, and nobody learns what they say.

import { createHash } from 'node:crypto'
import type { HostSettings, ServerSettings } from './settings.js'

/** By key, as people write it */
export type Prints = Readonly<Record<string, string>>

const LENGTH = 12

export function printsOf({ hosts, limits, durability }: ServerSettings): Prints {
  const parts: [string, unknown][] = [
    ['limits', limits],
    ['durability', durability],
    ...hosts.flatMap(partsOf),
  ]
  return Object.fromEntries(parts.map(([key, value]) => [key, printOf(written(value))]))
}

/** Of all of it: short enough to be compared by people. */
export function fingerprint(prints: Prints): string {
  return printOf(written(prints))
}

/** Keys that differ, those included that one side has not. */
export function differing(one: Prints, other: Prints): string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].filter((key) => one[key] !== other[key]).sort()
}

function partsOf({ domain, modules, tls, ...settings }: HostSettings): [string, unknown][] {
  const key = `hosts.${domain}`
  return [
    [key, true],
    [`${key}.tls.client_ca`, tls?.clientCa !== undefined],
    ...Object.entries(settings).map(([name, value]): [string, unknown] => [
      `${key}.${name}`,
      value,
    ]),
    ...Object.entries(modules).flatMap(([name, options]) =>
      optionsOf(`${key}.modules.${name}`, name, options),
    ),
  ]
}

function optionsOf(
  key: string,
  name: string,
  options: HostSettings['modules'][string],
): [string, unknown][] {
  if (options === false) return [[key, false]]
  const parts = Object.entries(options).map(([option, value]): [string, unknown] => [
    `${key}.${option}`,
    value,
  ])
  // One that is not built in is there because it is named.
  return name.startsWith('/') ? [[key, true], ...parts] : parts
}

/** The same for the same values, in whatever order keys were written */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)}`
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${written(inner)}`).join(',')}}`
}

function printOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, LENGTH)
}
