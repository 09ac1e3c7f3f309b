// A power cut, as SQLite's files would show it (F12): the server runs under strace; afterwards its
// database is rebuilt as it was on disk at drawn moments, each the arrival of an acknowledgement, and
// opened: every message that had been acknowledged by then must be in it. Some of those databases are
// given to the server again, and the archives are read.

import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseSync } from '@photostructure/sqlite'
import { hasProgram } from '../../bench/programs.js'
import { checkArchives } from './check-archives.js'
import type { History } from './chronicle.js'
import { DiskImage } from './disk-image.js'
import { type Fate, fatesOf } from './fates.js'
import { readArchives } from './final-archives.js'
import type { Remarks } from './kill.js'
import { pace } from './pace.js'
import type { Stage } from './stage.js'
import { said } from './stanza-text.js'
import { straceCommand, TraceReader, type TracedCall } from './traced-writes.js'

const LOAD_MS = 6000
const SERVED = 3

const databaseOf = (stage: Stage): string => join(stage.site.folder, 'data', 'tercet.db')
const logOf = (stage: Stage): string => join(stage.site.folder, 'writes.strace')

export async function powerLoss(stage: Stage): Promise<Remarks> {
  const { arena, task } = stage
  if (task.server !== 'tercet' || task.store === 'postgres')
    throw new Error('power-loss is made for Tercet on SQLite')
  if (!hasProgram('strace')) throw new Error('power-loss needs strace (apt-get install strace)')
  const file = databaseOf(stage)
  const trace = straceCommand(logOf(stage), [file, `${file}-wal`])
  const environment: Record<string, string> = task.breaking ? { TERCET_BREAK: task.breaking } : {}
  await stage.open({ environment, wrap: (command) => [...trace, ...command] })
  const stop = pace(arena, task.rate)
  await pause(LOAD_MS)
  stop()
  await stage.quiet()
  return {}
}

/** When the archives have been read and nothing is needed of the server any more */
export async function afterPowerLoss(stage: Stage, history: History): Promise<Remarks> {
  await stage.server.kill()
  const calls = await readTrace(logOf(stage))
  const fates = [...fatesOf(history.events).messages.values()]
  const acked = fates.filter((fate) => fate.acked).sort((a, b) => a.acked!.t - b.acked!.t)
  const sum = { syncs: 0, moments: 0, damagedImages: 0, acknowledgedNotOnDisk: 0, notServed: 0 }
  sum.syncs = calls.filter(({ call }) => call === 'sync').length
  const image = new DiskImage()
  let at = 0
  for (const [number, moment] of moments(stage, acked).entries()) {
    while (at < calls.length && calls[at]!.t * 1000 <= moment) image.apply(calls[at++]!)
    const owed = acked.filter((fate) => fate.acked!.t <= moment)
    sum.moments++
    for (const files of [image.least(), image.some(stage.draw)])
      examine(stage, files, { owed, sum })
    if (number % Math.ceil(stage.task.times / SERVED) === 0)
      sum.notServed += await serve(stage, image.least(), owed)
  }
  return sum
}

async function readTrace(file: string): Promise<TracedCall[]> {
  const reader = new TraceReader()
  const input = createReadStream(file, 'latin1')
  for await (const line of createInterface({ input })) reader.line(line)
  return reader.calls.sort((a, b) => a.t - b.t)
}

/** Arrivals of acknowledgements, drawn, in order of time */
function moments({ draw, task }: Stage, acked: readonly Fate[]): number[] {
  if (acked.length === 0) throw new Error('nothing was acknowledged: there is nothing to check')
  const drawn = Array.from({ length: task.times }, () => draw.of(acked).acked!.t)
  return drawn.sort((a, b) => a - b)
}

interface Examination {
  owed: readonly Fate[]
  sum: { damagedImages: number; acknowledgedNotOnDisk: number }
}

function examine(stage: Stage, files: Map<string, Buffer>, { owed, sum }: Examination): void {
  const folder = join(stage.site.folder, 'image')
  lay(folder, files)
  const database = new DatabaseSync(join(folder, basename(databaseOf(stage))))
  try {
    const [verdict] = database.prepare('pragma integrity_check').all()
    if (Object.values(verdict as object)[0] !== 'ok') sum.damagedImages++
    const kept = messagesIn(database)
    const missing = owed.filter((fate) => !fate.refused && !kept.has(fate.mid))
    sum.acknowledgedNotOnDisk += missing.length
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

/** The log of messages, whatever its columns are called */
function messagesIn(database: InstanceType<typeof DatabaseSync>): Set<string> {
  const rows = database.prepare('select * from messages').all() as Record<string, unknown>[]
  const texts = rows.flatMap((row) => Object.values(row).map(asText))
  return new Set(texts.flatMap((text) => said(text)?.mid ?? []))
}

function asText(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return typeof value === 'string' ? Buffer.from(value).toString('latin1') : ''
}

function lay(folder: string, files: Map<string, Buffer>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of files)
    if (content.length > 0) writeFileSync(join(folder, basename(name)), content)
}

/** How many acknowledged messages the server does not find in what it is given */
async function serve(stage: Stage, files: Map<string, Buffer>, owed: readonly Fate[]) {
  const data = join(stage.site.folder, 'data')
  for (const name of readdirSync(data)) if (name.startsWith('tercet.db')) rmSync(join(data, name))
  lay(data, files)
  await stage.server.start()
  const owners = [...new Set(owed.flatMap(({ from, to }) => [from, to]))]
  const archives = await readArchives(stage.target('tcp'), owners)
  await stage.server.kill()
  const nothing = { messages: new Map(), wrongCounts: 0 }
  const { kept } = checkArchives({ events: [], archives, devices: [] }, nothing)
  const has = (owner: string, mid: string) => kept.get(owner)?.place.has(mid) === true
  const missing = owed.filter(
    ({ mid, from, to, refused }) => !refused && !(has(from, mid) && has(to, mid)),
  )
  return missing.length
}
