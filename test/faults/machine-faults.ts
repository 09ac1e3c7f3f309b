// The machine under one node: its clock jumps, it has no file descriptors left.

import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cuts, type Remarks } from './kill.js'
import type { Node } from './nodes.js'
import type { Stage } from './stage.js'
import { troubles } from './trouble.js'

const HOUR_MS = 3_600_000
const JUMPS_MS = [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 2000, -2000]
const JUMPED_MS = 8000
const STEPS = 400
const STARVED_MS = 15_000
/** Files that a node with no connections to spare may still open */
const SPARE = 2
const PLENTY = 20_000

export const CLOCK_FILE = 'clock'
const SHIM = new URL('./clock-shim.js', import.meta.url).href

/** Has a node look at its clock through the shim. */
export const clockEnvironment = { NODE_OPTIONS: `--import=${SHIM}` }

/** Wall clock only, as no namespace of time can: there and back again, the seventh time in small steps back. */
export function clockJumps(stage: Stage): Promise<Remarks> {
  return troubles(stage, (node, time) => {
    const jump = JUMPS_MS[time % (JUMPS_MS.length + 1)]
    return {
      node: node.index,
      ms: JUMPED_MS,
      begin: () => (jump === undefined ? stepsBack(node) : setClock(node, jump)),
      end: () => setClock(node, 0),
    }
  })
}

const setClock = (node: Node, offset: number): void =>
  writeFileSync(join(node.site.folder, CLOCK_FILE), `${offset}\n`)

async function stepsBack(node: Node): Promise<void> {
  for (let step = 1; step <= STEPS; step++) {
    setClock(node, -20 * step)
    await pause(20)
  }
}

/** It keeps whom it has, and takes nobody; devices are cut and come in, there or elsewhere. */
export function starvations(stage: Stage): Promise<Remarks> {
  const { arena } = stage
  return troubles(stage, (node) => {
    let cutter: NodeJS.Timeout | undefined
    return {
      node: node.index,
      ms: STARVED_MS,
      begin: () => {
        limit(node, readdirSync(`/proc/${node.server.pid}/fd`).length + SPARE)
        cutter = cuts(arena, arena.devices.length / 4)
      },
      end: () => {
        clearInterval(cutter)
        limit(node, PLENTY)
      },
    }
  })
}

function limit({ server }: Node, files: number): void {
  const { status, stderr } = spawnSync(
    'prlimit',
    ['--pid', String(server.pid), `--nofile=${files}:${PLENTY}`],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`prlimit: ${stderr}`)
}
