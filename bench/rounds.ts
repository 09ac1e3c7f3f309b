// One round of one server: group after group of works that share a start of it, and in the first
// round a short run of each that counts what it makes the disk write.
import { perform } from './ensemble.js'
import { generate } from './generator/spawn.js'
import { type Group, groupsOf } from './groups.js'
import { type Hosted, host, hostTraced, type Stage } from './hosting.js'
import type { Outcome, Plan } from './job.js'
import { jobFor } from './jobs.js'
import { syncMs } from './machine.js'
import { coreTime, usageOf } from './measure.js'
import { pinned, SERVER_CORE } from './pinning.js'
import type { Column, Run } from './report.js'
import { canTrace, countSyncs } from './syncs.js'
import type { Work } from './work.js'

const SATURATION_SECONDS = 4
const COUNTING = { warmUpSeconds: 1, seconds: 2 }
const HALF = 0.5
const LONG = 500

export type Round = Stage & {
  column: Column
  works: readonly Work[]
  round: number
}

type Report = (run: Run) => void

export async function runRound(round: Round, report: Report): Promise<void> {
  const { peer } = round
  const meant = round.works.filter((work) => !work.alone || peer.name === 'tercet')
  const able = meant.filter((work) => peer.able?.(work) ?? true)
  const possible = able.filter((work) => !peer.lacks?.(work.store ?? 'own'))
  for (const group of groupsOf(possible)) await runGroup(round, group, report)
}

async function runGroup(round: Round, group: Group, report: Report): Promise<void> {
  try {
    const counts = round.round === 1 ? await counted(round, group) : undefined
    await host(round, group, async (hosted) => {
      round.column.readyMs.push(hosted.server.readyMs)
      for (const work of group.works) {
        const run = await measured(round, work, hosted)
        report({ ...run, figures: { ...run.figures, ...counts?.get(work.title) } })
      }
    })
  } catch (error) {
    for (const work of group.works) report(broken(round, work, error))
  }
}

type Counts = Map<string, Record<string, number>>

async function counted(round: Round, group: Group): Promise<Counts> {
  const counts: Counts = new Map()
  const works = group.works.filter((work) => work.counted)
  if (!canTrace || works.length === 0) return counts
  await hostTraced(round, group, async (hosted, traces) => {
    for (const work of works) {
      const outcome = await generate(jobFor(hosted, shortened(work.plan), work))
      const syncs = countSyncs(traces, outcome)
      if (syncs) counts.set(work.title, syncs)
    }
  })
  return counts
}

const shortened = (plan: Plan): Plan => (plan.kind === 'chat' ? { ...plan, ...COUNTING } : plan)

async function measured(round: Round, work: Work, hosted: Hosted): Promise<Run> {
  try {
    const plan = work.halved ? await halfLoad(work, hosted) : work.plan
    const { outcome, disturbance } = await undisturbed(work, plan, hosted)
    const figures = { ...outcome.figures, ...(work.counted && { syncMs: syncMs(round.folder) }) }
    return { ...named(round, work), disturbance, ...outcome, figures }
  } catch (error) {
    return broken(round, work, error)
  }
}

async function undisturbed(work: Work, plan: Plan, hosted: Hosted) {
  const { pids } = hosted
  const before = { core: coreTime(SERVER_CORE), own: usageOf(pids), at: performance.now() }
  const outcome = await perform(jobFor(hosted, plan, work))
  const seconds = (performance.now() - before.at) / 1000
  const own = usageOf(pids).cpuSeconds - before.own.cpuSeconds
  const core = coreTime(SERVER_CORE)
  const others = core.busySeconds - before.core.busySeconds - own
  const stolen = core.stealSeconds - before.core.stealSeconds
  const disturbance = pinned ? Math.max(0, (others + stolen) / seconds) : 0
  return { outcome, disturbance }
}

/** What a closed loop carries, one message of each user in flight, says what half the load is. */
async function halfLoad(work: Work, hosted: Hosted): Promise<Plan> {
  if (work.plan.kind !== 'chat') return work.plan
  const seconds = Math.min(work.plan.seconds, SATURATION_SECONDS)
  const full = { ...work.plan, rate: 0, inFlight: 1, seconds }
  const outcome: Outcome = await generate(jobFor(hosted, full, work))
  const carried = outcome.figures.perSecond ?? 0
  if (carried === 0) throw new Error(outcome.error ?? 'nothing was delivered')
  return { ...work.plan, rate: Math.max(1, Math.round(carried * HALF)) }
}

function named(round: Round, work: Work): Pick<Run, 'server' | 'work' | 'round'> {
  return { server: round.peer.name, work: work.title, round: round.round }
}

function broken(round: Round, work: Work, error: unknown): Run {
  const text = error instanceof Error ? error.message : String(error)
  // What went wrong with a statement stands after it.
  const why = text.length > LONG ? `…${text.slice(-LONG)}` : text
  return { ...named(round, work), failed: 0, disturbance: 0, figures: {}, error: why }
}
