// The configuration: finds tercet.yaml, lays --set and TERCET_… over it, checks everything at once.
// It throws for no fault of an operator's; whoever asks decides what faults and warnings mean.
// Heads of modules and the rules of XMPP names come in as values: nothing of them is known here.

import { dirname, resolve } from 'node:path'
import { FaultList, inOrder } from './config-fault.js'
import { findConfig } from './config-files.js'
import type { ConfigText } from './config-files.js'
import { globalKeys, hostKeys, listenKeys, tlsKeys } from './config-keys.js'
import { Heads } from './config-modules.js'
import type { HeadSource } from './config-modules.js'
import { lay, readEnvironment, readSettings } from './config-overrides.js'
import { ConfigReader, isEmpty } from './config-reader.js'
import { assemble } from './config-settings.js'
import type { NameRules, Settings } from './config-settings.js'
import { emptyMap } from './config-tree.js'
import type { Fault, MapNode } from './config-tree.js'
import { readYaml } from './config-yaml.js'

export interface ConfigQuestion extends HeadSource {
  /** --config; false where no file is to be read */
  readonly file?: string | false | undefined
  /** --set, in order */
  readonly set?: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly names: NameRules
}

export interface ConfigAnswer {
  /** The file that was read; undefined where there is none */
  readonly file: string | undefined
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
  /** What was written, overrides included */
  readonly written: MapNode
  /** The data folder as well as it can be told; also where other keys have faults */
  readonly data: string
  /** Only without faults */
  readonly settings: Settings | undefined
}

export async function readConfig(question: ConfigQuestion): Promise<ConfigAnswer> {
  const source = findConfig(question.file, question.cwd)
  const found = await readRoot(source)
  const over = await overlay(found.root, question)
  const list = new FaultList(new Map([[source.shown, source.text]]))
  list.faults.push(...found.faults, ...over.faults)
  list.warnings.push(...over.warnings)
  // One fault of the text would look like many of its meaning.
  const settings = found.broken
    ? undefined
    : await check(question, { source, list, root: found.root })
  const faults = inOrder(list.faults)
  return {
    file: source.path,
    data: dataFolder(found.root, folderOf(source, question)),
    faults,
    warnings: inOrder(list.warnings),
    written: found.root,
    settings: faults.length === 0 ? settings : undefined,
  }
}

interface Root {
  root: MapNode
  faults: readonly Fault[]
  broken: boolean
}

async function readRoot(source: ConfigText): Promise<Root> {
  const nothing = emptyMap({ file: source.shown })
  if (source.fault) return { root: nothing, faults: [source.fault], broken: true }
  if (source.text.trim() === '') return { root: nothing, faults: [], broken: false }
  const { node, faults, broken } = await readYaml({ text: source.text, file: source.shown })
  if (node.kind === 'map') return { root: node, faults, broken }
  if (isEmpty(node)) return { root: nothing, faults, broken }
  const message = 'keys with values are wanted, such as domain: chat.example.com'
  return { root: nothing, faults: [...faults, { message, path: '', ...node.place }], broken: true }
}

async function overlay(
  root: MapNode,
  question: ConfigQuestion,
): Promise<{ faults: readonly Fault[]; warnings: readonly Fault[] }> {
  const env = readEnvironment(question.env, Object.keys(globalKeys))
  const set = readSettings(question.set ?? [])
  const known = (path: readonly string[]) => namesAt(path, question)
  for (const override of [...env.overrides, ...set.overrides]) await lay(root, override, known)
  return { faults: set.faults, warnings: env.warnings }
}

/** Names that may stand below a path. */
function namesAt(path: readonly string[], { heads }: HeadSource): readonly string[] {
  const [first, second, ...rest] = path
  if (first === undefined) return Object.keys(globalKeys)
  if (first === 'hosts') {
    if (second === undefined) return []
    return rest.length === 0 ? Object.keys(hostKeys) : namesAt(rest, { heads })
  }
  if (first === 'listen') return Object.keys(listenKeys)
  if (first === 'tls') return Object.keys(tlsKeys)
  if (first !== 'modules') return []
  if (second === undefined) return heads.map((head) => head.name)
  return Object.keys(heads.find((head) => head.name === second)?.config ?? {})
}

interface Checking {
  source: ConfigText
  list: FaultList
  root: MapNode
}

async function check(
  question: ConfigQuestion,
  { source, list, root }: Checking,
): Promise<Settings> {
  const folder = folderOf(source, question)
  const reader = new ConfigReader(list, { folder, env: question.env })
  const heads = new Heads(question)
  await heads.loadPaths(root.entries.get('modules')?.node, reader)
  const hosts = root.entries.get('hosts')?.node
  for (const entry of hosts?.kind === 'map' ? hosts.entries.values() : []) {
    if (entry.node.kind === 'map')
      await heads.loadPaths(entry.node.entries.get('modules')?.node, reader)
  }
  return assemble({ root, reader, heads, names: question.names, data: dataFolder(root, folder) })
}

function folderOf(source: ConfigText, question: ConfigQuestion): string {
  return source.path === undefined ? question.cwd : dirname(source.path)
}

function dataFolder(root: MapNode, folder: string): string {
  const node = root.entries.get('data')?.node
  if (node?.kind === 'scalar' && typeof node.value === 'string' && node.value !== '')
    return resolve(folder, node.value)
  return folder.startsWith('/etc/')
    ? '/var/lib/tercet'
    : resolve(folder, String(globalKeys.data!.default))
}
