// All sessions of a crowd are cut off at once, as when a network goes away, and come back at random moments
// soon after: each over a new connection, resumed where the server takes it (XEP-0198 §5), else as a new
// session. How long each one took from its first byte, and when the last one was back.
import type { Job, Outcome, Plan } from '../job.js'
import { readyToGo } from './conductor.js'
import { Connection, type Receiver, type Target } from './connection.js'
import { Crowd } from './crowd.js'
import { Histogram } from './histogram.js'
import { LoginSteps } from './login.js'
import { logInFrom } from './multitude.js'
import { QuickSteps } from './quick-login.js'

type StormPlan = Extract<Plan, { kind: 'storm' }>

const PATIENCE_MS = 60_000
const TRIES = 5

const silence: Receiver = { stanza: () => {}, lost: () => {} }
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

export async function storm(job: Job, plan: StormPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logInFrom(job, plan.first))
  await readyToGo()
  const sessions = crowd.live()
  for (const session of sessions) session.receiver = silence
  const returns = new Returns(job, plan)
  for (const session of sessions) session.fail('cut off')
  await Promise.race([
    Promise.all(sessions.map((session) => returns.one(session))),
    pause(PATIENCE_MS + plan.overSeconds * 1000),
  ])
  returns.end()
  return { failed: crowd.failed + sessions.length - returns.back, figures: returns.figures() }
}

class Returns {
  back = 0
  private readonly job: Job
  private readonly target: Target
  private readonly overMs: number
  private readonly began = performance.now()
  private readonly latencies = new Histogram()
  private readonly connections: Connection[] = []
  private resumed = 0
  private retries = 0
  private last = 0

  constructor(job: Job, { elsewhere, overSeconds }: StormPlan) {
    this.job = job
    const { ports = [] } = job.target
    const moved = [...ports.slice(1), ...ports.slice(0, 1)]
    this.target = elsewhere && moved.length > 0 ? { ...job.target, ports: moved } : job.target
    this.overMs = overSeconds * 1000
  }

  async one(session: Connection): Promise<void> {
    await pause(Math.random() * this.overMs)
    const began = performance.now()
    for (let left = TRIES; left > 0; left--) {
      const fresh = await this.attempt(session)
      if (fresh) return this.isBack(fresh, began)
      this.retries++
      await pause(500 + Math.random() * 500)
    }
  }

  private attempt(session: Connection): Promise<Connection | undefined> {
    const { login } = this.job
    const { index, resumption, handled, ticket } = session
    const user = `${login.prefix}${index}`
    return new Promise((done) => {
      const ending = { ready: done, failed: () => done(undefined) }
      const resume = resumption !== '' && { resume: { id: resumption, handled } }
      const steps = login.quick
        ? new QuickSteps(user, login, { ...ending, known: session })
        : new LoginSteps(user, login, { ...ending, ...resume })
      new Connection(index, this.target, steps, ticket)
    })
  }

  private isBack(session: Connection, began: number): void {
    session.receiver = silence
    this.connections.push(session)
    const now = performance.now()
    this.latencies.record((now - began) * 1000)
    this.last = now - this.began
    this.back++
    if (session.resumed) this.resumed++
  }

  figures(): Record<string, number> {
    return {
      backSeconds: this.last / 1000,
      back: this.back,
      resumed: this.resumed,
      retries: this.retries,
      returnP50: this.latencies.quantile(0.5),
      returnP99: this.latencies.quantile(0.99),
    }
  }

  end(): void {
    for (const connection of this.connections) connection.close()
  }
}
