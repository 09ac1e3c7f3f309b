// The server ends in the middle of things and is started again: by SIGKILL at a random moment, at a
// failpoint of its own, or by SIGTERM. Three of four moments are drawn among the messages of a
// burst; the others soon after the start, while devices come back, resume and catch up.

import { setTimeout as pause } from 'node:timers/promises'
import type { Draw } from './draw.js'
import { type Stage, until } from './stage.js'

const MOMENT_LIMIT_MS = 3000
const EARLY_MS = 300
/** Not everybody has to be back. */
const RETURN_LIMIT_MS = 5000
export const FAILPOINT_LIMIT_MS = 20_000
const FAILPOINT_MOST = 300

export interface Remarks {
  [name: string]: number
}

export async function kills(stage: Stage): Promise<Remarks> {
  for (let time = 0; time < stage.task.times; time++) {
    await randomMoment(stage, time)
    await stage.node.kill(() => stage.arena.fault())
    await stage.node.start(sabotage(stage))
  }
  return {}
}

async function randomMoment(stage: Stage, time: number): Promise<void> {
  const { arena, draw } = stage
  const early = time > 0 && draw.chance(0.25)
  arena.allow(plenty(stage))
  if (early) await pause(draw.whole(0, EARLY_MS))
  else await loadedMoment(stage)
}

/** More than a burst: the load goes on while the fault strikes. */
export const plenty = ({ arena, task }: Stage): number =>
  task.burst + arena.devices.length * task.window * 2

/** Everybody is back and writes. */
export async function loadedMoment(stage: Stage): Promise<void> {
  const { arena, draw, task } = stage
  await until(() => arena.present === arena.devices.length, RETURN_LIMIT_MS)
  arena.allow(plenty(stage))
  const cutter = cuts(arena, task.cuts)
  const messages = draw.whole(1, task.burst)
  await arena.afterSending(messages, draw.whole(MOMENT_LIMIT_MS / 2, MOMENT_LIMIT_MS))
  // Not always at the very moment of a write
  if (draw.chance(0.5)) await pause(draw.whole(0, 5))
  clearInterval(cutter)
}

/** Devices lose their connection while the server runs on. */
export function cuts(arena: Stage['arena'], many: number): NodeJS.Timeout {
  const { devices, draw } = arena
  const share = many / devices.length / 3
  return setInterval(() => {
    for (const device of devices) if (device.ready && draw.chance(share)) device.cut()
  }, 100)
}

export const sabotage = ({ task }: Stage, failpoint?: string) => ({
  environment: {
    ...(task.breaking ? { TERCET_BREAK: task.breaking } : {}),
    ...(failpoint ? { TERCET_FAILPOINT: failpoint } : {}),
  },
})

/** A low one ends it while everybody comes back, a high one under load. */
export const failpointCount = (draw: Draw): number => Math.ceil(FAILPOINT_MOST ** draw.share())

/** The server ends itself. */
export async function atFailpoint(stage: Stage): Promise<Remarks> {
  const { arena, draw, node, task } = stage
  const { server } = node
  let missed = 0
  await node.kill()
  for (let time = 0; time < task.times; time++) {
    await node.start(sabotage(stage, `${task.failpoint}:${failpointCount(draw)}`))
    server.expectEnd()
    arena.allow(Number.MAX_SAFE_INTEGER)
    if (!(await server.ended(FAILPOINT_LIMIT_MS))) missed++
    arena.fault()
    await node.kill()
  }
  arena.allow(0)
  await node.start(sabotage(stage))
  return { failpointNeverReached: missed }
}

export const DRAIN_LIMIT_MS = 10_000

/** SIGTERM under load (G8) */
export async function drains(stage: Stage): Promise<Remarks> {
  const remarks = { unwillingToEnd: 0, longestDrainMs: 0 }
  for (let time = 0; time < stage.task.times; time++) {
    await randomMoment(stage, time)
    stage.arena.fault()
    const { end, ms } = await stage.node.stop()
    stage.nodes.doors.ended(0)
    if (end.code !== 0 || ms > DRAIN_LIMIT_MS) remarks.unwillingToEnd++
    remarks.longestDrainMs = Math.max(remarks.longestDrainMs, Math.round(ms))
    await stage.node.start(sabotage(stage))
  }
  return remarks
}
