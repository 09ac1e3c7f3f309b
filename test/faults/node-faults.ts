// What happens to one of several nodes: it is killed, stopped, or hangs. Whoever was there comes in
// elsewhere and must be reached there; then the next.

import { setTimeout as pause } from 'node:timers/promises'
import {
  cuts,
  DRAIN_LIMIT_MS,
  FAILPOINT_LIMIT_MS,
  failpointCount,
  plenty,
  type Remarks,
  sabotage,
} from './kill.js'
import type { Node } from './nodes.js'
import { pace } from './pace.js'
import type { Stage } from './stage.js'
import { afterAllAreReached, reached, troubles } from './trouble.js'

const EARLY = 0.25
const ALL = 0.05
const EARLY_MS = 300
const AWAY_MOST_MS = 3000
const PAUSE_MS = { least: 2000, most: 30_000 }
const ROAMING_MS = 3000

/**
 * A node at random, now and then all; every fourth time soon after the one before, while everybody
 * comes back.
 */
export async function nodeKills(stage: Stage): Promise<Remarks> {
  const { arena, draw, task } = stage
  const starting = new Map<Node, Promise<void>>()
  for (let time = 0; time < task.times; time++) {
    if (time > 0 && draw.chance(EARLY)) {
      arena.allow(plenty(stage))
      await pause(draw.whole(0, EARLY_MS))
    } else await afterAllAreReached(stage)
    const running = await someThatRun(stage, starting)
    for (const node of draw.chance(ALL) ? running : [draw.of(running)]) {
      const killed = node.kill(() => arena.faultOf(node.index))
      starting.set(node, again(stage, node, killed))
    }
  }
  await Promise.all(starting.values())
  await reached(stage)
  return {}
}

/** The machine room: all at one moment */
export async function allKilled(stage: Stage): Promise<Remarks> {
  const { arena, nodes, task } = stage
  for (let time = 0; time < task.times; time++) {
    await afterAllAreReached(stage)
    await Promise.all(nodes.all.map((node) => node.kill(() => arena.faultOf(node.index))))
    await Promise.all(nodes.all.map((node) => node.start()))
  }
  await reached(stage)
  return {}
}

/** At once, or after a while in which the others have everybody */
async function again({ draw }: Stage, node: Node, killed: Promise<void>): Promise<void> {
  const away = draw.chance(0.5) ? draw.whole(0, AWAY_MOST_MS) : 0
  await killed
  await pause(away)
  await node.start()
}

async function someThatRun({ nodes }: Stage, starting: ReadonlyMap<Node, Promise<void>>) {
  if (nodes.doors.open.length === 0) await Promise.race(starting.values())
  return nodes.doors.open.map((index) => nodes.all[index]!)
}

/** A node ends itself at the failpoint, among others that run on. */
export async function nodesAtFailpoint(stage: Stage): Promise<Remarks> {
  const { arena, draw, nodes, task } = stage
  let failpointNeverReached = 0
  for (let time = 0; time < task.times; time++) {
    const node = draw.of(nodes.all)
    await node.kill(() => arena.faultOf(node.index))
    await node.start(sabotage(stage, `${task.failpoint}:${failpointCount(draw)}`))
    node.server.expectEnd()
    const stop = pace(arena, task.rate)
    // Everybody is on the others, and only who is cut comes in there.
    const cutter = cuts(arena, arena.devices.length / 4)
    if (!(await node.server.ended(FAILPOINT_LIMIT_MS))) failpointNeverReached++
    arena.faultOf(node.index)
    clearInterval(cutter)
    stop()
    await again(stage, node, node.kill())
    await reached(stage)
  }
  return { failpointNeverReached }
}

/** Nothing breaks but connections: devices come in at one node after the other. */
export async function roaming(stage: Stage): Promise<Remarks> {
  const { arena, task } = stage
  for (let time = 0; time < task.times; time++) {
    const stop = pace(arena, task.rate)
    const cutter = cuts(arena, task.cuts)
    await pause(ROAMING_MS)
    clearInterval(cutter)
    stop()
    arena.healed(arena.devices)
    await reached(stage)
  }
  return {}
}

/** One node after the other under load, as for an upgrade */
export async function rollingDrains(stage: Stage): Promise<Remarks> {
  const { arena, nodes, task } = stage
  const remarks = { unwillingToEnd: 0, longestDrainMs: 0 }
  for (let time = 0; time < task.times; time++) {
    await afterAllAreReached(stage)
    const node = nodes.all[time % nodes.all.length]!
    const stop = pace(arena, task.rate)
    arena.faultOf(node.index)
    const { end, ms } = await node.stop()
    if (end.code !== 0 || ms > DRAIN_LIMIT_MS) remarks.unwillingToEnd++
    remarks.longestDrainMs = Math.max(remarks.longestDrainMs, Math.round(ms))
    await node.start()
    stop()
    await reached(stage)
  }
  return remarks
}

/** SIGSTOP: its clients and the other nodes see a machine that does not answer, and then one that does. */
export function pauses(stage: Stage): Promise<Remarks> {
  return troubles(stage, (node) => ({
    node: node.index,
    ms: stage.draw.whole(PAUSE_MS.least, PAUSE_MS.most),
    begin: () => node.freeze(),
    end: () => node.thaw(),
  }))
}
