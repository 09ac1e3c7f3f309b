// What the faults of several nodes have in common: a trouble begins under load, lasts, and ends; whoever
// it concerned must be reached by a message that was written after it, before the next one begins.

import { setTimeout as pause } from 'node:timers/promises'
import { cuts, loadedMoment, type Remarks } from './kill.js'
import type { Node } from './nodes.js'
import { pace } from './pace.js'
import { type Stage, until } from './stage.js'

const REACH_LIMIT_MS = 30_000

export interface Trouble {
  readonly ms: number
  /** Of one alone */
  readonly node?: number
  begin(): unknown
  end(): void | Promise<void>
}

export async function afterAllAreReached(stage: Stage): Promise<void> {
  await reached(stage)
  await loadedMoment(stage)
}

/** Everybody writes until all whom a fault concerned have had a message from after it. */
export async function reached({ arena, task }: Stage): Promise<void> {
  const stop = pace(arena, task.rate)
  await until(() => arena.unreached.size === 0, REACH_LIMIT_MS)
  stop()
  // The checker has them; the next fault does not wait for them.
  arena.unreached.clear()
  arena.healed()
}

/** Devices come and go meanwhile; afterwards all must be reached. */
export async function during(
  { arena, task }: Stage,
  { ms, node, begin, end }: Trouble,
): Promise<void> {
  const stop = pace(arena, task.rate)
  const cutter = cuts(arena, task.cuts / 10)
  arena.fault(node)
  await begin()
  await pause(ms)
  await end()
  clearInterval(cutter)
  stop()
  arena.healed(arena.devices)
}

/** One after the other, each of one node or of all */
export async function troubles(
  stage: Stage,
  trouble: (node: Node, time: number) => Trouble | Promise<Trouble>,
): Promise<Remarks> {
  const { draw, nodes, task } = stage
  for (let time = 0; time < task.times; time++) {
    await afterAllAreReached(stage)
    await during(stage, await trouble(draw.of(nodes.all), time))
  }
  await reached(stage)
  return {}
}
