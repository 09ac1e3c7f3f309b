// From well-formed values to the settings of the server: hosts over globals, addresses over ports,
// and the rules that concern more than one key.

import { isEmpty } from './config-reader.js'
import type { ConfigReader, Section } from './config-reader.js'
import { everyAddress, globalKeys, hostKeys, listenKeys } from './config-keys.js'
import type { Keys, ListenPlace } from './config-keys.js'
import { mergeModules, readModules } from './config-modules.js'
import type { Heads, ModuleSettings } from './config-modules.js'
import { readTls } from './config-tls.js'
import type { TlsFiles } from './config-tls.js'
import { emptyMap, showPath } from './config-tree.js'
import type { ConfigNode, MapNode } from './config-tree.js'

export interface HostPart {
  domain: string
  encryption: 'required' | 'optional'
  registration: 'closed' | 'invite' | 'open'
  passwordRounds: number
  scramSha1: boolean
  admins: readonly string[]
  tls: TlsFiles | undefined
  modules: ModuleSettings
}

export interface Settings {
  hosts: readonly HostPart[]
  data: string
  database: string
  /** Empty: this node alone */
  redis: string
  workers: number
  durability: 'power' | 'crash'
  limits: 'default' | 'off'
  listen: {
    c2s: readonly ListenPlace[]
    c2s_tls: readonly ListenPlace[]
    http: readonly ListenPlace[]
    https: readonly ListenPlace[]
    proxies: readonly string[]
  }
}

/** The rules of names, which belong to XMPP and come in as functions: both throw with what is wanted. */
export interface NameRules {
  /** The normal form of a domain */
  domain(text: string): string
  /** The normal form of a bare address */
  address(text: string): string
}

export interface Assembly {
  readonly root: MapNode
  readonly reader: ConfigReader
  readonly heads: Heads
  readonly names: NameRules
  /** Where everything is kept, absolute */
  readonly data: string
}

/** Meaningless where the reader's list has faults. */
export function assemble(assembly: Assembly): Settings {
  const { reader, root } = assembly
  const section = reader.section(root, globalKeys)
  const listen = (section.get('listen')?.value ?? new Map()) as Section
  const database = pick<string>(section, globalKeys, 'database')
  const durability = pick<Settings['durability']>(section, globalKeys, 'durability')
  if (durability === 'crash' && database !== 'sqlite') {
    reader.list.warn(
      section.get('durability')!.node,
      'crash is for SQLite: PostgreSQL always commits synchronously',
    )
  }
  const redis = pick<string>(section, globalKeys, 'redis')
  const workers = pick<number>(section, globalKeys, 'workers')
  checkNodes(assembly, section, { database, redis, workers })
  return {
    hosts: readHosts(assembly, section),
    data: assembly.data,
    database,
    redis,
    workers,
    durability,
    limits: pick(section, globalKeys, 'limits'),
    listen: readListen(listen, reader),
  }
}

/** Nodes find each other in Redis and share one database, which SQLite cannot be. */
function checkNodes(
  { reader, root }: Assembly,
  section: Section,
  { database, redis, workers }: Pick<Settings, 'database' | 'redis' | 'workers'>,
): void {
  const good = (key: string): boolean => section.has(key) || isAbsent(root.entries.get(key)?.node)
  if (!good('database') || !good('redis')) return
  const share = 'write database: postgres://user@host/database'
  if (redis !== '' && database === 'sqlite')
    reader.list.add(
      section.get('redis')!.node,
      `several nodes share one database, and SQLite is for one process alone: ${share}, or leave redis out`,
    )
  else if (workers > 1 && redis === '')
    reader.list.add(
      section.get('workers')!.node,
      `every worker is a node, and nodes find each other in Redis: write redis: redis://host:6379${
        database === 'sqlite' ? ` and ${share.slice(6)}` : ''
      }, or workers: 1`,
    )
}

function isAbsent(node: ConfigNode | undefined): boolean {
  return node === undefined || isEmpty(node)
}

function pick<T>(section: Section, keys: Keys, name: string): T {
  return (section.has(name) ? section.get(name)!.value : keys[name]!.default) as T
}

// Hosts

function readHosts(assembly: Assembly, section: Section): HostPart[] {
  const { reader } = assembly
  const written = section.get('hosts')
  const global = partOf(assembly, section)
  const domain = section.get('domain')
  const map = reader.map(written?.node)
  if (!map || map.entries.size === 0) {
    const name =
      domain &&
      reader.attempt(domain.node, nameKind, () => assembly.names.domain(domain.value as string))
    return [{ ...global, domain: name ?? String(globalKeys.domain!.default) }]
  }
  if (domain)
    reader.list.add(
      domain.node,
      'domain is for one host and hosts for several: keep one of the two',
    )
  return severalHosts(assembly, map, global)
}

const nameKind = { kind: 'name' }

function severalHosts(assembly: Assembly, map: MapNode, global: HostPart): HostPart[] {
  const { reader, names } = assembly
  const hosts = new Map<string, HostPart>()
  for (const [name, entry] of map.entries) {
    const keyNode: ConfigNode = {
      kind: 'scalar',
      path: entry.node.path,
      place: entry.key,
      value: name,
    }
    const domain = reader.attempt(keyNode, nameKind, () => names.domain(name))
    if (domain !== undefined && hosts.has(domain))
      reader.list.add(keyNode, `the host ${domain} stands here twice`)
    const node = isEmpty(entry.node) ? emptyMap(entry.node.place, entry.node.path) : entry.node
    const section = reader.section(node, hostKeys, (key) => misplaced(key))
    hosts.set(domain ?? name, { ...partOf(assembly, section, global), domain: domain ?? name })
  }
  return [...hosts.values()]
}

function misplaced(key: string): string | undefined {
  if (!Object.hasOwn(globalKeys, key)) return undefined
  return `${key} is for the whole server: it belongs to the top level, not under a host`
}

function partOf(assembly: Assembly, section: Section, global?: HostPart): HostPart {
  const own = <T>(key: string, above: T | undefined): T =>
    !section.has(key) && above !== undefined ? above : pick<T>(section, hostKeys, key)
  return {
    domain: '',
    encryption: own('encryption', global?.encryption),
    registration: own('registration', global?.registration),
    passwordRounds: own('password_rounds', global?.passwordRounds),
    scramSha1: own('scram_sha1', global?.scramSha1),
    admins: section.has('admins') ? readAdmins(assembly, section) : (global?.admins ?? []),
    tls: section.has('tls') ? readTls(section.get('tls')!, assembly.reader.list) : global?.tls,
    modules: modulesOf(assembly, section, global?.modules),
  }
}

function modulesOf(
  { reader, heads }: Assembly,
  section: Section,
  global: ModuleSettings = {},
): ModuleSettings {
  return mergeModules(global, readModules(section.get('modules')?.node, reader, heads))
}

function readAdmins({ reader, names }: Assembly, section: Section): string[] {
  const { node } = section.get('admins')!
  const items = node.kind === 'list' ? node.items : [node]
  const admins = items.map((item) =>
    reader.attempt(item, nameKind, () =>
      names.address(item.kind === 'scalar' ? String(item.value) : ''),
    ),
  )
  return admins.filter((address) => address !== undefined)
}

// Places to listen

const opened = ['c2s', 'c2s_tls', 'http', 'https'] as const

function readListen(section: Section, reader: ConfigReader): Settings['listen'] {
  const addresses = (section.get('address')?.value ?? [everyAddress]) as readonly string[]
  const taken = new Map<string, string>()
  const places = {} as Record<(typeof opened)[number], readonly ListenPlace[]>
  for (const name of opened) {
    const found = section.get(name)
    const ports = (found?.value ?? [{ address: undefined, port: listenKeys[name]!.default }]) as (
      | ListenPlace
      | undefined
    )[]
    places[name] = ports.flatMap((place) => (place ? spread(place, addresses) : []))
    for (const place of places[name]) claim({ place, name, taken, reader, node: found?.node })
  }
  return { ...places, proxies: (section.get('proxies')?.value ?? []) as readonly string[] }
}

function spread(place: ListenPlace, addresses: readonly string[]): ListenPlace[] {
  if (place.address !== undefined || addresses.includes(everyAddress)) return [place]
  return addresses.map((address) => ({ address, port: place.port }))
}

interface Claim {
  place: ListenPlace
  name: string
  taken: Map<string, string>
  reader: ConfigReader
  node: ConfigNode | undefined
}

// One port cannot be opened twice; which of the two was meant is for the operator to say.
function claim({ place, name, taken, reader, node }: Claim): void {
  const { address, port } = place
  const clash = [...taken].find(([key]) => {
    const [other, at] = key.split(' ')
    return (
      at === String(port) && (other === everyAddress || address === undefined || other === address)
    )
  })
  if (!clash) {
    taken.set(`${address ?? everyAddress} ${port}`, name)
    return
  }
  const fault = `port ${port} is taken by ${showPath(['listen', clash[1]])}: write another port here, or false`
  if (node) reader.list.add(node, fault)
  else reader.list.at({ file: 'the defaults' }, ['listen', name], fault)
}
