// The disk fills up under load (F10): the server's data is in a small memory file system of a mount
// namespace of its own, reached from here through /proc. While it is full, messages are refused with
// clear errors or stay unacknowledged; when space is freed the server recovers by itself.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { hasProgram } from '../../bench/programs.js'
import type { Remarks } from './kill.js'
import { pace } from './pace.js'
import { acknowledgedSince } from './postgres-restart.js'
import { type Stage, until } from './stage.js'

const SIZE = '48m'
const FULL_MS = 3000
const RECOVERY_LIMIT_MS = 30_000

const MOUNT = `mount -t tmpfs -o size=${SIZE} tmpfs "$0" && exec "$@"`

/** As root a mount namespace is enough; others need a user namespace around it. */
function wrap(data: string) {
  const unshare = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm']
  return (command: readonly string[]) => [...unshare, 'sh', '-c', MOUNT, data, ...command]
}

export async function diskFull(stage: Stage): Promise<Remarks> {
  const { arena, server, site, task } = stage
  if (task.server !== 'tercet') throw new Error('disk-full is made for Tercet only')
  if (!hasProgram('unshare')) throw new Error('disk-full needs unshare (util-linux)')
  const data = join(site.folder, 'data')
  await stage.open({ wrap: wrap(data) })
  const filler = join(`/proc/${server.pid}/root`, data, 'filler')
  const remarks = { neverFull: 0, notRecovered: 0, longestRecoveryMs: 0, keptOut: 0 }
  const stopPace = pace(arena, task.rate)
  for (let time = 0; time < task.times; time++) {
    await pause(1000)
    arena.fault()
    const { refused, waiting } = await whileFull(stage, filler)
    remarks.keptOut += refused
    if (refused === 0 && waiting === 0) remarks.neverFull++
    rmSync(filler)
    const since = arena.now()
    if (!(await until(() => acknowledgedSince(stage, since), RECOVERY_LIMIT_MS)))
      remarks.notRecovered++
    const took = Math.round(arena.now() - since)
    remarks.longestRecoveryMs = Math.max(remarks.longestRecoveryMs, took)
  }
  stopPace()
  await stage.quiet()
  return remarks
}

/** Whatever becomes free meanwhile is filled again. */
async function whileFull({ arena }: Stage, filler: string) {
  const before = refusals(arena.events)
  const file = openSync(filler, 'a')
  const end = performance.now() + FULL_MS
  while (performance.now() < end) {
    fill(file)
    await pause(20)
  }
  closeSync(file)
  return { refused: refusals(arena.events) - before, waiting: arena.inFlight }
}

const refusals = (events: Stage['arena']['events']): number =>
  events.filter(({ op }) => op === 'err').length

function fill(file: number): void {
  for (const size of [1 << 20, 1 << 12]) {
    const block = Buffer.alloc(size, 1)
    try {
      while (writeSync(file, block) === size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
