// Texts that stand elsewhere: { file: path } and { credential: name } (systemd's LoadCredential), and
// paths beside the configuration. What was read from there is never printed.

import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { ConfigNode } from './config-tree.js'

const LARGEST_SECRET = 64 * 1024

export interface Surroundings {
  /** Relative paths start here: the folder of the configuration file, or where the server was started. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Whether a value is written as { file: … } or { credential: … }. */
export function standsElsewhere(node: ConfigNode): boolean {
  return (
    node.kind === 'map' &&
    node.entries.size === 1 &&
    (node.entries.has('file') || node.entries.has('credential'))
  )
}

/** The path that { file: … } or { credential: … } names. */
export function pathOf(node: ConfigNode, around: Surroundings): string {
  if (node.kind !== 'map') throw new Error('{ file: path } or { credential: name } is wanted')
  const [[kind, entry] = []] = node.entries
  const name = entry?.node.kind === 'scalar' ? entry.node.value : undefined
  if (typeof name !== 'string' || name === '') throw new Error(`${kind} wants a text`)
  if (kind === 'file') return resolve(around.folder, name)
  const folder = around.env.CREDENTIALS_DIRECTORY
  if (!folder || !isAbsolute(folder)) {
    throw new Error('there are no credentials: LoadCredential= in the service unit brings them')
  }
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.'))
    throw new Error('a credential has a plain name')
  return join(folder, name)
}

/** Its text without the line's end. */
export function readSecret(node: ConfigNode, around: Surroundings): string {
  const path = readablePath(pathOf(node, around))
  if (statSync(path).size > LARGEST_SECRET)
    throw new Error(`${path} is larger than a secret: at most 64 KiB`)
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
}

export function readablePath(path: string): string {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw new Error(`${path} cannot be read: ${why((error as NodeJS.ErrnoException).code)}`)
  }
  if (!statSync(path).isFile()) throw new Error(`${path} is not a file`)
  return path
}

export function why(code: string | undefined): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it'
  if (code === 'EISDIR') return 'it is a folder'
  return code ?? 'unknown error'
}
