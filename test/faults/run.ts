// One run: build the stage, let the load run while the fault strikes, wait until all is quiet, read
// the archives, judge.

import { writeFileSync } from 'node:fs'
import { check } from './checker.js'
import type { History } from './chronicle.js'
import { diskFull } from './disk-full.js'
import * as figure from './figures.js'
import type { Figures } from './figures.js'
import { atFailpoint, drains, kills, type Remarks } from './kill.js'
import { clockEnvironment } from './machine-faults.js'
import { nodesAtFailpoint } from './node-faults.js'
import { postgresRestarts } from './postgres-restart.js'
import { afterPowerLoss, powerLoss } from './power-loss.js'
import { Stage } from './stage.js'
import { onNodes } from './strikes.js'
import type { Task } from './task.js'

export interface Result {
  task: Task
  version: string
  figures: Figures
  /** Figures of the fault itself */
  remarks: Remarks
  /** What must be zero and is not */
  broken: string[]
  seconds: number
  medianStartMs: number
}

/** Remarks that must be zero */
const FATAL = [
  'serverDied',
  'failpointNeverReached',
  'unwillingToEnd',
  'refusedWhileDraining',
  'neverFull',
  'notRecovered',
  'acknowledgedNotOnDisk',
  'damagedImages',
  'notServed',
  'neverPromoted',
  'stillThoughtPresent',
]

export async function run(task: Task): Promise<Result> {
  const began = performance.now()
  const stage = await Stage.build(task)
  try {
    const remarks = await strike(stage)
    const history = await stage.history()
    if (task.log) writeLog(task.log, history)
    const figures = check(history)
    if (task.what === 'power-loss') Object.assign(remarks, await afterPowerLoss(stage, history))
    const servers = stage.nodes.all.map(({ server }) => server)
    const deaths = servers.reduce((sum, server) => sum + server.deaths, 0)
    if (deaths > 0) remarks.serverDied = deaths
    if (task.what === 'drain') remarks.refusedWhileDraining = figures.refused
    const fatal = FATAL.filter((name) => (remarks[name] ?? 0) !== 0)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    const { version } = stage
    const starts = servers.flatMap(({ startMs }) => startMs).sort((a, b) => a - b)
    const medianStartMs = Math.round(starts[starts.length >> 1] ?? 0)
    const broken = [...figure.brokenInvariants(figures), ...fatal, ...tooSlow(task, figures)]
    return { task, version, figures, remarks, broken, seconds, medianStartMs }
  } finally {
    await stage.close()
    if (task.keep) process.stderr.write(`kept in ${stage.folder}\n`)
  }
}

function writeLog(file: string, { events, archives, devices }: History): void {
  const rows = [...archives].flatMap(([owner, list]) =>
    list.map((row) => ({ op: 'final', owner, ...row })),
  )
  const lines = [...events, ...rows, ...devices.map((device) => ({ op: 'device', ...device }))]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

async function strike(stage: Stage): Promise<Remarks> {
  const { task } = stage
  if (task.what === 'disk-full') return diskFull(stage)
  if (task.what === 'power-loss') return powerLoss(stage)
  const environment: Record<string, string> = {
    ...(task.breaking && { TERCET_BREAK: task.breaking }),
    ...(task.what === 'clock' && clockEnvironment),
  }
  await stage.open({ environment })
  const remarks = await faults(stage)
  await stage.quiet()
  return remarks
}

/** What several nodes promise beside what one does */
function tooSlow({ nodes, what }: Task, figures: Figures): string[] {
  if (nodes === 1) return []
  const promised =
    what === 'drain' ? ALL_BOUNDS : ALL_BOUNDS.filter((name) => name === 'reachableMax')
  return promised.filter((name) => figures[name] > figure.boundsOfNodes[name].limit)
}

const ALL_BOUNDS = ['reachableMax', 'arrivalDuringP99'] as const

function faults(stage: Stage): Promise<Remarks> {
  const { what, nodes, failpoint } = stage.task
  const several = onNodes(what, nodes)
  if (several) return failpoint ? nodesAtFailpoint(stage) : several(stage)
  if (what === 'drain') return drains(stage)
  if (what === 'postgres-restart') return postgresRestarts(stage)
  return failpoint ? atFailpoint(stage) : kills(stage)
}
