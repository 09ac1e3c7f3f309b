// The table: one row for each work, one column for each server, the goal beside them, and below
// each figure what stands beside it. Markdown, so that it can be kept in the documentation.
import { beside } from './beside.js'
import type { Machine } from './machine.js'
import { commandsIn } from './redis-commands.js'
import type { Work } from './work.js'

export type Run = {
  server: string
  work: string
  round: number
  failed: number
  generatorCores?: number
  /** Of the server's core, what others took while the run lasted. */
  disturbance: number
  figures: Record<string, number>
  error?: string
}

export type Column = { name: string; title: string; version: string; readyMs: number[] }

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median of one figure over the rounds that have it. */
function figure(runs: readonly Run[], key: string): number {
  const values = runs.flatMap((run) => run.figures[key] ?? [])
  return values.length > 0 ? median(values) : 0
}

function cell(work: Work, all: readonly Run[]): string {
  const runs = all.filter((run) => run.work === work.title)
  const times = timesOther(work, all)
  const good = runs.filter((run) => run.error === undefined)
  if (good.length === 0) return runs[0] ? excuse(runs[0].error ?? '') : '–'
  const { key, digits, unit } = work.figure
  const failed = good.reduce((sum, run) => sum + run.failed, 0)
  const remark = failed > 0 ? ` **${failed} failed**` : ''
  const value = `${figure(good, key).toFixed(digits)} ${unit}`
  return `**${value}**${times} (${beside(work, (key) => figure(good, key))})${remark}`
}

/** How many times the figure of another row of the same server this one is. */
function timesOther(work: Work, runs: readonly Run[]): string {
  const of = (title: string | undefined) =>
    figure(
      runs.filter((run) => run.work === title && run.error === undefined),
      work.figure.key,
    )
  const other = of(work.against)
  return other > 0 ? `, **${(of(work.title) / other).toFixed(2)} times**` : ''
}

const EXCUSE_LENGTH = 100

const excuse = (text: string) => `failed: \`${text.slice(0, EXCUSE_LENGTH).replaceAll('|', ' ')}\``

function goal({ goal, figure }: Work): string {
  if (goal === undefined) return '–'
  return typeof goal === 'number' ? `≤ ${goal} ${figure.unit}` : goal
}

export function table(works: readonly Work[], columns: readonly Column[], runs: readonly Run[]) {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const lines = [
    row(['work', ...columns.map((column) => column.title), 'goal']),
    row(['---', ...columns.map(() => '---'), '---']),
  ]
  for (const work of works) {
    const cells = columns.map(({ name }) =>
      cell(
        work,
        runs.filter((run) => run.server === name),
      ),
    )
    lines.push(row([work.title, ...cells, goal(work)]))
  }
  const starts = columns.map(({ readyMs }) =>
    readyMs.length > 0 ? `**${(median(readyMs) / 1000).toFixed(2)} s**` : '–',
  )
  lines.push(row(['start to ready', ...starts, '≤ 0.8 s']))
  return lines.join('\n')
}

export function heading(machine: Machine, columns: readonly Column[]): string {
  const versions = columns.map(({ title, version }) => `${title} ${version}`)
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGb} GB; Linux ${machine.kernel}`,
    `${versions.join('; ')}; Node ${machine.node}`,
    `fdatasync where the servers keep their data: ${machine.syncMs.toFixed(2)} ms (median)`,
  ].join('\n')
}

/** What Redis was asked, command by command. */
function asked({ work, figures }: Run): string[] {
  const commands = commandsIn(figures)
  const bytes = Math.round(figures.redisBytes ?? 0)
  return commands === '' ? [] : [`Redis, ${work}: ${commands}; ${bytes} bytes.`]
}

/** Where the processor time went. */
function parts({ server, work, figures }: Run): string[] {
  const each = Object.entries(figures).flatMap(([key, value]) =>
    key.startsWith('micros ') ? [`${key.slice('micros '.length)} ${value.toFixed(1)} µs`] : [],
  )
  return each.length === 0 ? [] : [`Processor time, ${server}, ${work}: ${each.join(', ')}.`]
}

/** What the bare relay needs for a message where the goals were set (1:1, 1 in flight), in microseconds */
const YARDSTICK = { work: '1:1, 1 in flight', micros: 5.1 }

/** How this machine compares with that one: goals in microseconds are for that one. */
function yardstick(runs: readonly Run[]): string[] {
  const relayed = runs.filter(({ server, work }) => server === 'relay' && work === YARDSTICK.work)
  const micros = figure(relayed, 'cpuMicros')
  if (micros === 0) return []
  const times = (micros / YARDSTICK.micros).toFixed(1)
  return [
    `The bare relay needs ${micros.toFixed(1)} µs for a message here and needed ${YARDSTICK.micros} where the goals were set: a goal in µs is ${times} times as much on this machine, as far as the kernel's part of it goes.`,
  ]
}

const DISTURBED = 0.1
const BUSY = 0.95

/** What a reader has to know before believing a rate. */
export function remarks(runs: readonly Run[]): string[] {
  const disturbed = runs.filter((run) => run.disturbance > DISTURBED).length
  const busy = runs.filter((run) => (run.generatorCores ?? 0) > BUSY)
  const limited = [...new Set(busy.map((run) => `${run.server}: ${run.work}`))]
  return [
    ...(disturbed > 0
      ? [
          `In ${disturbed} of ${runs.length} runs others took more than a tenth of the server's core: rates and latencies are worse than they could be, processor time is not.`,
        ]
      : []),
    ...yardstick(runs),
    ...runs.flatMap(parts),
    ...runs.flatMap(asked),
    ...limited.map((name) => `The generator was the limit of the rate (${name}).`),
  ]
}
