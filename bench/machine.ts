// What the figures were measured on.
import { closeSync, fdatasyncSync, openSync, readFileSync } from 'node:fs'
import { statfsSync, unlinkSync, writeSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { cores, pinned } from './pinning.js'

export type Machine = {
  processor: string
  cores: number
  memoryGb: number
  kernel: string
  node: string
  /** The median time of one fdatasync in the folder of the servers. */
  syncMs: number
}

export function machine(folder: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    syncMs: syncMs(folder),
  }
}

const SYNCS = 101

/** The median time of one fdatasync in a folder. */
export function syncMs(folder: string): number {
  const path = join(folder, 'sync-probe')
  const file = openSync(path, 'w')
  const times: number[] = []
  for (let i = 0; i < SYNCS; i++) {
    const began = performance.now()
    writeSync(file, 'one group of messages\n')
    fdatasyncSync(file)
    times.push(performance.now() - began)
  }
  closeSync(file)
  unlinkSync(path)
  return times.sort((a, b) => a - b)[SYNCS >> 1]!
}

/** Descriptors that a server wants for other things than connections. */
const RESERVE = 0.1

/** How many connections one process may hold: the runtime and the servers raise the soft limit. */
export function sockets(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1')
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 1024)
  return Math.floor(hard * (1 - RESERVE))
}

const TMPFS = 0x01021994

/** What keeps the figures from being what the method asks for. */
export function reservations(folder: string): string[] {
  const memory = statfsSync(folder).type === TMPFS
  return [
    ...(cores < 2
      ? ['This machine has one core: server and generator share it, rates are low.']
      : []),
    ...(cores > 1 && !pinned
      ? ['taskset is missing (util-linux): nothing is pinned to a core.']
      : []),
    ...(memory ? [`${folder} is in memory: archived figures want a disk (--folder).`] : []),
  ]
}
