// Results for people: what each run found while the plan goes on, and one table at the end.

import { boundsOfNodes, type FigureName, mustBeZero } from './figures.js'
import type { Result } from './run.js'
import { titleOf } from './task.js'

/** With no loss among n messages in flight, the rate of loss is below 3/n with 95 % confidence. */
const bound = (inFlight: number): string =>
  inFlight === 0 ? '–' : `${((3 / inFlight) * 100).toPrecision(2)} %`

export function describe(result: Result): string {
  const { task, figures, broken, remarks, seconds, medianStartMs } = result
  const f = figures
  const lines = [
    `${titleOf(task)} (seed ${task.seed}): ${broken.length === 0 ? 'kept' : 'BROKEN'} in ${seconds} s`,
    `  sent ${f.sent} (again ${f.sentAgain}), acknowledged ${f.acknowledged}, refused ${f.refused}, unknown ${f.unknown}`,
    `  faults ${f.faults}, in flight at faults ${f.inFlight} (bound on loss ${bound(f.inFlight)}), start ${medianStartMs} ms, outage p50 ${f.outageP50} max ${f.outageMax} ms`,
    `  lost ${f.lost} (sender's archive ${f.lostAtSender}, recipient's ${f.lostAtRecipient}), false success ${f.falseSuccess}, never arrived ${f.neverArrived}, by catch-up only ${f.arrivedByArchiveOnly}`,
    `  twice in an archive ${f.twiceInArchive}, twice on streams ${f.duplicatedRaw} (without a crash ${f.duplicatedWithoutCrash}, after dedupe ${f.duplicatedAfterDedupe})`,
    `  reordered in archives ${f.reorderedInArchive}, on streams ${f.reorderedLive}, unlike the archive ${f.unlikeArchive}; phantom ${f.phantom}, strange ids ${f.strangeIds}`,
    `  after crashes resumed ${f.resumed}, refused with h ${f.refusedWithCount}, without h ${f.refusedWithoutCount}; after cuts resumed ${f.resumedWithoutCrash}, refused ${f.notResumedWithoutCrash}; unsettled ${f.unsettledDevices}`,
    `  h wrong ${f.wrongCounts}, too high ${f.countTooHigh}, too low ${f.countTooLow}; send to ack p50 ${f.sendToAckP50} p99 ${f.sendToAckP99} ms, to arrival p50 ${f.sendToArrivalP50} p99 ${f.sendToArrivalP99} ms`,
  ]
  if (task.nodes > 1)
    lines.push(
      `  after faults back p99 ${f.backP99} max ${f.backMax} ms, reachable p99 ${f.reachableP99} max ${f.reachableMax} ms; meanwhile send to arrival p99 ${f.arrivalDuringP99} max ${f.arrivalDuringMax} ms`,
    )
  const marks = Object.entries(remarks).map(([name, value]) => `${name} ${value}`)
  if (marks.length > 0) lines.push(`  ${marks.join(', ')}`)
  for (const name of broken) lines.push(`  ! ${name}: ${promiseOf(name)}`)
  return lines.join('\n')
}

function promiseOf(name: string): string {
  const bound = boundsOfNodes[name as keyof typeof boundsOfNodes]
  if (bound) return `${bound.says}: ${bound.limit} ms at most`
  return mustBeZero[name as FigureName] ?? 'must be zero'
}

const COLUMNS: [string, (result: Result) => string | number][] = [
  ['run', ({ task }) => titleOf(task)],
  ['acknowledged', ({ figures }) => figures.acknowledged],
  ['in flight at faults', ({ figures }) => figures.inFlight],
  ['lost', ({ figures }) => figures.lost],
  ['false success', ({ figures }) => figures.falseSuccess],
  ['never arrived', ({ figures }) => figures.neverArrived],
  ['twice in an archive', ({ figures }) => figures.twiceInArchive],
  [
    'twice on a stream, after dedupe',
    ({ figures: f }) => `${f.duplicatedRaw}, ${f.duplicatedAfterDedupe}`,
  ],
  ['reordered', ({ figures: f }) => f.reorderedInArchive + f.reorderedLive + f.unlikeArchive],
  [
    'resumed, refused with h, without',
    ({ figures: f }) => `${f.resumed}, ${f.refusedWithCount}, ${f.refusedWithoutCount}`,
  ],
  ['h inexact', ({ figures: f }) => f.wrongCounts + f.countTooHigh + f.countTooLow],
  ['outage, median', ({ figures: f }) => `${Math.round(f.outageP50)} ms`],
  ['reachable elsewhere, p99, max', (result) => reachable(result)],
]

function reachable({ task, figures: f }: Result): string {
  if (task.nodes === 1) return '–'
  return [f.reachableP99, f.reachableMax].map((ms) => `${(ms / 1000).toFixed(1)} s`).join(', ')
}

export function table(results: readonly Result[]): string {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  const versions = [...new Set(results.map(({ task, version }) => `${task.server} ${version}`))]
  return [
    `${versions.join(', ')}; Node ${process.versions.node}`,
    '',
    row(COLUMNS.map(([name]) => name)),
    row(COLUMNS.map(() => '---')),
    ...results.map((result) => row(COLUMNS.map(([, cell]) => cell(result)))),
    '',
  ].join('\n')
}
