// Works that take several generators at once: they bring their sessions up, and when all have, all begin.
// Latencies are those of the generator that had the worst, rates are sums.
import { setTimeout as pause } from 'node:timers/promises'
import { Player } from './generator/spawn.js'
import type { Job, Outcome, Plan } from './job.js'
import { usageOf } from './measure.js'

type Crowd = Extract<Plan, { kind: 'crowd' }>
type Storm = Extract<Plan, { kind: 'storm' }>

const KIB_PER_MIB = 1024
/** Code and heap that the first sessions bring along are not the price of a session. */
const WARM_UP_SESSIONS = 50
/** Longer than any storm */
const OTHERS_SECONDS = 300
const CALM_SECONDS = 2

export function perform(job: Job): Promise<Outcome> {
  const { plan } = job
  if (plan.kind === 'crowd') return crowd(job, plan)
  if (plan.kind === 'storm') return storm(job, plan)
  return new Player(job).outcome
}

async function crowd(job: Job, plan: Crowd): Promise<Outcome> {
  const warmUp = { kind: 'login', users: WARM_UP_SESSIONS, rounds: 1 } as const
  await new Player({ ...job, plan: warmUp }).outcome
  const [own = job.server] = Object.values(job.parts ?? {})
  const before = usageOf(own).residentKb
  const players = shares(plan).map((share) => new Player({ ...job, plan: share }))
  const sizes = await Promise.all(players.map((player) => player.ready))
  if (!sizes.every(Boolean)) return broken(players)
  await pause(plan.settleSeconds * 1000)
  const resident = usageOf(own).residentKb - before
  for (const player of players) player.say('go')
  const outcomes = await Promise.all(players.map((player) => player.outcome))
  const together = merged(outcomes)
  const memory = { kbPerSession: resident / plan.users, residentMb: resident / KIB_PER_MIB }
  return { ...together, figures: { ...together.figures, ...memory } }
}

/** Pairs stay together. */
function shares(plan: Crowd): Crowd[] {
  const { users, generators, rate, presences } = plan
  const most = 2 * Math.ceil(users / generators / 2)
  return Array.from({ length: generators }, (_, i): Crowd => {
    const first = i * most
    const mine = Math.max(0, Math.min(most, users - first))
    const share = mine / users
    return { ...plan, first, users: mine, rate: rate * share, presences: presences * share }
  })
}

async function broken(players: readonly Player[]): Promise<Outcome> {
  for (const player of players) player.say('go')
  return merged(await Promise.all(players.map((player) => player.outcome)))
}

const SUMS = ['delivered', 'perSecond', 'sentPerSecond', 'outstanding', 'sessions']

function merged(outcomes: readonly Outcome[]): Outcome {
  const figures: Record<string, number> = {}
  for (const outcome of outcomes)
    for (const [key, value] of Object.entries(outcome.figures)) {
      const known = figures[key] ?? 0
      figures[key] = SUMS.includes(key) ? known + value : Math.max(known, value)
    }
  const error = outcomes.find((outcome) => outcome.error !== undefined)?.error
  return {
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    generatorCores: outcomes.reduce((sum, { generatorCores = 0 }) => sum + generatorCores, 0),
    figures,
    ...(error !== undefined && { error }),
  }
}

/** The others are measured from shortly before the cut until the last one is back. */
async function storm(job: Job, plan: Storm): Promise<Outcome> {
  const { others, rate, bodyBytes } = plan
  const chat: Crowd = {
    ...{ kind: 'crowd', generators: 1, settleSeconds: 0, presences: 0 },
    ...{ users: others, first: plan.users, rate, bodyBytes },
    ...{ warmUpSeconds: CALM_SECONDS, seconds: OTHERS_SECONDS },
  }
  const bystanders = new Player({ ...job, plan: chat })
  const cut = new Player({ ...job, plan })
  await Promise.all([bystanders.ready, cut.ready])
  bystanders.say('go')
  await pause(CALM_SECONDS * 1000)
  cut.say('go')
  const back = await cut.outcome
  bystanders.say('stop')
  const chatted = await bystanders.outcome
  return {
    ...back,
    failed: back.failed + chatted.failed,
    figures: { ...chatted.figures, ...back.figures },
    ...(chatted.error !== undefined && { error: chatted.error }),
  }
}
