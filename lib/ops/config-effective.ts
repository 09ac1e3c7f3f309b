// The configuration in force, as an operator would write it: what was written over the defaults of
// every key and module. A secret is masked: where it stands is shown, never what it says.

import { globalKeys, hostKeys, listenKeys } from './config-keys.js'
import type { Key, Keys } from './config-keys.js'
import type { ConfigAnswer } from './config.js'
import { isModulePath } from './config-modules.js'
import type { ModuleHead } from './config-modules.js'
import { isEmpty } from './config-reader.js'
import { standsElsewhere } from './config-secrets.js'
import { plainValue } from './config-tree.js'
import type { ConfigNode, MapNode } from './config-tree.js'

type Values = Record<string, unknown>

export function effective(answer: ConfigAnswer, heads: readonly ModuleHead[]): Values {
  const { written } = answer
  const values = section(written, globalKeys)
  const hosts = map(written, 'hosts')
  if (hosts) {
    delete values.domain
    values.hosts = Object.fromEntries(
      [...hosts.entries].map(([domain, { node }]) => [domain, ownKeys(node)]),
    )
  } else {
    delete values.hosts
  }
  values.data = answer.data
  values.listen = section(map(written, 'listen'), listenKeys)
  if (!map(written, 'tls')) delete values.tls
  if (values.redis === '') delete values.redis
  values.modules = {
    ...Object.fromEntries(heads.map((head) => [head.name, module(written, head)])),
    ...others(written, heads),
  }
  return values
}

function map(node: MapNode | undefined, name: string): MapNode | undefined {
  const below = node?.entries.get(name)?.node
  return below?.kind === 'map' && below.entries.size > 0 ? below : undefined
}

function section(node: MapNode | undefined, keys: Keys): Values {
  return Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [name, value(node?.entries.get(name)?.node, key)]),
  )
}

function value(node: ConfigNode | undefined, key: Pick<Key, 'kind' | 'default'>): unknown {
  if (!node || isEmpty(node)) return key.default
  return key.kind === 'secret' && !standsElsewhere(node)
    ? masked(String(plainValue(node)))
    : plainValue(node)
}

/** postgres://romeo:secret@db/tercet → postgres://romeo:***@db/tercet */
function masked(text: string): string {
  return text
    .replace(/^([a-z-]+:\/\/[^\s:@/]*):.*@/i, '$1:***@')
    .replace(/([?&](?:sentinel_)?pass(?:word)?=)[^&]*/gi, '$1***')
}

/** Under a host only what was written there: the rest stands above. */
function ownKeys(node: ConfigNode): Values {
  if (node.kind !== 'map') return {}
  const names = Object.keys(hostKeys).filter((name) => node.entries.has(name))
  return Object.fromEntries(names.map((name) => [name, ownKey(node.entries.get(name)!.node, name)]))
}

function ownKey(node: ConfigNode, name: string): unknown {
  if (name !== 'modules' || node.kind !== 'map') return plainValue(node)
  return Object.fromEntries(
    [...node.entries].map(([module, entry]) => [module, options(entry.node)]),
  )
}

function module(written: MapNode, head: ModuleHead): unknown {
  const node = map(written, 'modules')?.entries.get(head.name)?.node
  if (node?.kind === 'scalar' && node.value === false) return false
  const defaults = Object.entries(head.config ?? {}).map(([name, option]) => [name, option.default])
  return { ...Object.fromEntries(defaults), ...(node && (options(node) as Values)) }
}

/** Modules of the operator's, and names that are switched off. */
function others(written: MapNode, heads: readonly ModuleHead[]): Values {
  const entries = [...(map(written, 'modules')?.entries ?? [])]
  const unknown = entries.filter(
    ([name]) => isModulePath(name) || !heads.some((head) => head.name === name),
  )
  return Object.fromEntries(unknown.map(([name, { node }]) => [name, options(node)]))
}

// Which texts of a module are secrets, its head does not say: names that sound like one are masked.
const secretName = /(password|secret|token|key)$/i

function options(node: ConfigNode): unknown {
  if (node.kind !== 'map')
    return isEmpty(node) || (node.kind === 'scalar' && node.value === true) ? {} : plainValue(node)
  const shown = ([name, { node: below }]: [string, { node: ConfigNode }]): [string, unknown] => {
    const hide = below.kind === 'scalar' && typeof below.value === 'string' && secretName.test(name)
    return [name, hide ? '***' : plainValue(below)]
  }
  return Object.fromEntries([...node.entries].map(shown))
}
