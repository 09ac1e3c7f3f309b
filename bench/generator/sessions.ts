// The two scenarios that are about sessions themselves: what an idle one weighs and what a login
// costs the server.
import type { Job, Outcome, Plan } from '../job.js'
import { partFigures, timesOf, usageOf } from '../measure.js'
import { commandFigures, type Counts, RedisCommands } from '../redis-commands.js'
import { Crowd, logIn } from './crowd.js'

type Idle = Extract<Plan, { kind: 'idle' }>
type Logins = Extract<Plan, { kind: 'login' }>

const WARM_UP_SESSIONS = 50
const AFTERWARDS_SECONDS = 0.3

const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000))

/** Code and heap that the first sessions bring along are not the price of a session. */
async function warmUp(job: Job, users: number): Promise<void> {
  const crowd = new Crowd()
  await crowd.grow(Math.min(WARM_UP_SESSIONS, users), job.login.concurrency, logIn(job))
  crowd.close()
  await pause(1)
}

export async function idle(job: Job, plan: Idle): Promise<Outcome> {
  await warmUp(job, plan.users)
  const crowd = new Crowd()
  const points = [{ users: 0, kb: usageOf(job.server).residentKb }]
  for (let step = 1; step <= plan.steps; step++) {
    await crowd.grow(
      Math.round((plan.users * step) / plan.steps),
      job.login.concurrency,
      logIn(job),
    )
    await pause(plan.settleSeconds)
    points.push({ users: crowd.live().length, kb: usageOf(job.server).residentKb })
  }
  const before = usageOf(job.server).cpuSeconds
  await pause(2)
  const idleCores = (usageOf(job.server).cpuSeconds - before) / 2
  return { failed: crowd.failed, figures: { ...weights(points), idleCores } }
}

type Point = { users: number; kb: number }

/** Overall: the difference over all sessions. Slope: least squares over the steps. */
function weights(points: readonly Point[]): { kbPerSession: number; slopeKb: number } {
  const first = points[0]!
  const last = points.at(-1)!
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const users = mean((point) => point.users)
  const kb = mean((point) => point.kb)
  const covariance = mean((point) => (point.users - users) * (point.kb - kb))
  const variance = mean((point) => (point.users - users) ** 2)
  return {
    kbPerSession: (last.kb - first.kb) / Math.max(1, last.users),
    slopeKb: covariance / Math.max(1, variance),
  }
}

/** The first round derives the clients' keys and is not counted; sessions stay until its end. */
export async function logins(job: Job, plan: Logins): Promise<Outcome> {
  const rounds: Record<string, number>[] = []
  const commands = job.redis === undefined ? undefined : await RedisCommands.open(job.redis)
  let failed = 0
  for (let round = 0; round <= plan.rounds; round++) {
    const crowd = new Crowd()
    const asked = await commands?.counts()
    const before = usageOf(job.server).cpuSeconds
    const beforeParts = timesOf(job.parts ?? {})
    const began = performance.now()
    await crowd.grow(plan.users, job.login.concurrency, logIn(job))
    const seconds = (performance.now() - began) / 1000
    const users = Math.max(1, crowd.live().length)
    const cpuMs = ((usageOf(job.server).cpuSeconds - before) * 1000) / users
    const byPart = partFigures(beforeParts, timesOf(job.parts ?? {}), users)
    const figures = asked && (await asking(commands!, asked, users))
    const perSecond = users / seconds
    if (round > 0) rounds.push({ cpuMsPerLogin: cpuMs, perSecond, ...byPart, ...figures })
    failed += crowd.failed
    crowd.close()
    await pause(1)
  }
  commands?.close()
  return { failed, figures: middle(rounds) }
}

/** What is said to Redis when the last login is done is for that one too. */
async function asking(commands: RedisCommands, before: Counts, users: number) {
  await pause(AFTERWARDS_SECONDS)
  return commandFigures(before, await commands.counts(), users)
}

function middle(rounds: readonly Record<string, number>[]): Record<string, number> {
  const keys = new Set(rounds.flatMap((round) => Object.keys(round)))
  const of = (key: string) => rounds.map((round) => round[key] ?? 0).sort((a, b) => a - b)
  return Object.fromEntries([...keys].map((key) => [key, of(key)[rounds.length >> 1]!]))
}
