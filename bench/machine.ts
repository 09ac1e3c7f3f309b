// What the figures were measured on.
import { cpus, release, totalmem } from 'node:os'
import { cores, pinned } from './pinning.js'

export type Machine = {
  processor: string
  cores: number
  memoryGb: number
  kernel: string
  node: string
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  }
}

/** What keeps the figures from being what the method asks for. */
export function reservations(): string[] {
  if (pinned) return []
  if (cores < 2) return ['This machine has one core: server and generator share it, rates are low.']
  return ['taskset is missing (apt-get install util-linux): nothing is pinned to a core.']
}
