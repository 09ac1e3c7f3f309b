// The name of a node among the others: this machine's name and a suffix that was drawn when the node was
// started first. It is kept in the data folder, so that the node has it after a restart too; with the
// file's own number on its disk, so that a copy of the folder is another node.

import { closeSync, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '../lib/ops/random.js'

const SUFFIX = 5
const LONGEST = 48

export function nodeName(folder: string, machine = hostname()): string {
  const host = machine
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, LONGEST)
  const path = join(folder, 'node')
  return `${host || 'node'}-${kept(path) ?? drawn(path)}`
}

function kept(path: string): string | undefined {
  try {
    const [suffix = '', place] = readFileSync(path, 'utf8').trim().split(' ')
    return /^[0-9a-f]{10}$/.test(suffix) && place === placeOf(statSync(path)) ? suffix : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function drawn(path: string): string {
  const suffix = systemRandom.bytes(SUFFIX).toString('hex')
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, `${suffix} ${placeOf(fstatSync(file))}\n`)
  } finally {
    closeSync(file)
  }
  return suffix
}

function placeOf({ ino, birthtimeMs }: Stats): string {
  return `${ino}.${Math.floor(birthtimeMs)}`
}
