// The lines between clients and nodes: connections end and the server is not told, clients stop reading,
// everything is slow and in pieces. The server runs on, so nothing may come twice.

import { setTimeout as pause } from 'node:timers/promises'
import type { Remarks } from './kill.js'
import { pace } from './pace.js'
import type { Relay } from './relay.js'
import { type Stage, until } from './stage.js'
import { afterAllAreReached, reached, troubles } from './trouble.js'

const SHARE = 1 / 3
const STALLED_MS = { least: 10_000, most: 40_000 }
const SLOW_MS = 10_000
const NOTICED_LIMIT_MS = 30_000

/** Some are gone without a word and come in anew, anywhere, while their nodes think that they are there. */
export async function halfOpen(stage: Stage): Promise<Remarks> {
  const { arena, draw, nodes, task } = stage
  const gates = nodes.all.flatMap(({ lines }) => lines.clients)
  for (const gate of gates) gate.silent = true
  for (let time = 0; time < task.times; time++) {
    await afterAllAreReached(stage)
    const stop = pace(arena, task.rate)
    const gone = arena.devices.filter(() => draw.chance(SHARE))
    arena.thrownOut(gone)
    for (const device of gone) device.cut()
    await pause(draw.whole(0, 1000))
    stop()
  }
  await reached(stage)
  // Whoever resumed has told: their old streams end.
  await until(() => orphans(gates) === 0, NOTICED_LIMIT_MS)
  return { stillThoughtPresent: orphans(gates) }
}

const orphans = (gates: readonly Relay[]): number =>
  gates.reduce((sum, gate) => sum + gate.orphans, 0)

/** Some are sent what they do not read, and then read it. */
export function stalls(stage: Stage): Promise<Remarks> {
  const { draw, nodes } = stage
  const gates = nodes.all.flatMap(({ lines }) => lines.clients)
  let flow: (() => void)[] = []
  return troubles(stage, () => ({
    ms: draw.whole(STALLED_MS.least, STALLED_MS.most),
    begin: () => {
      flow = gates.map((gate) => gate.stall(() => draw.chance(SHARE)))
    },
    end: () => {
      for (const go of flow) go()
    },
  }))
}

/** In turn: what nodes say to PostgreSQL, to Redis, to clients */
export function slowness(stage: Stage): Promise<Remarks> {
  const parts = [
    { part: 'postgres', weather: { delayMs: 20, piece: 512 } },
    { part: 'redis', weather: { delayMs: 100, piece: 128 } },
    { part: 'clients', weather: { delayMs: 100, piece: 32 } },
  ] as const
  const set = (part: (typeof parts)[number]['part'], weather: Relay['weather']) => {
    for (const { lines } of stage.nodes.all) for (const line of lines[part]) line.weather = weather
  }
  return troubles(stage, (_, time) => {
    const { part, weather } = parts[time % parts.length]!
    return { ms: SLOW_MS, begin: () => set(part, weather), end: () => set(part, undefined) }
  })
}
