// Brings a number of sessions up, a bounded number of them at the same time, and hands them over
// with a receiver that does nothing. Those that fail are counted; the first few say why.
import type { Job } from '../job.js'
import { Connection, type Receiver } from './connection.js'
import { LoginSteps } from './login.js'
import { QuickSteps } from './quick-login.js'

const COMPLAINTS = 5
const SETUP_LIMIT_MS = 600_000

export type Outcome = { ready(connection: Connection): void; failed(why: string): void }

/** Starts one connection; exactly one of the two outcomes follows. */
export type Begin = (index: number, outcome: Outcome) => void

export class Crowd {
  readonly sessions: (Connection | undefined)[] = []
  failed = 0
  /** Why the first one failed. */
  private reason = ''
  private complaints = 0

  count(why: string): void {
    if (this.failed++ === 0) this.reason = why
    if (this.complaints++ < COMPLAINTS) process.stderr.write(`${why}\n`)
  }

  /** Raises the number of sessions to `users`. */
  async grow(users: number, concurrency: number, begin: Begin): Promise<void> {
    let next = this.sessions.length
    this.sessions.length = Math.max(users, next)
    const deadline = performance.now() + SETUP_LIMIT_MS
    const worker = async () => {
      while (next < users && performance.now() < deadline) await this.one(next++, begin)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    if (this.live().length === 0 && this.failed > 0) throw new Error(this.reason)
    if (next < users) throw new Error(`setting up ${users} sessions took too long`)
  }

  private one(index: number, begin: Begin): Promise<void> {
    return new Promise((done) => {
      let settled = false
      const settle = () => {
        settled = true
        done()
      }
      begin(index, {
        ready: (connection) => {
          this.sessions[index] = connection
          settle()
        },
        failed: (why) => {
          this.count(why)
          this.sessions[index] = undefined
          if (!settled) settle()
        },
      })
    })
  }

  live(): Connection[] {
    return this.sessions.filter((session) => session !== undefined)
  }

  close(): void {
    for (const session of this.live()) session.close()
    this.sessions.length = 0
  }
}

export function logIn(job: Job): Begin {
  const { login, target } = job
  return (index, outcome) => {
    const failed = (_: Connection, why: string) => outcome.failed(why)
    const ready = (connection: Connection) => {
      connection.receiver = new Silent(failed)
      outcome.ready(connection)
    }
    const Steps = login.quick ? QuickSteps : LoginSteps
    const steps = new Steps(`${login.prefix}${index}`, login, { ready, failed })
    new Connection(index, target, steps)
  }
}

class Silent implements Receiver {
  private readonly failed: (connection: Connection, why: string) => void

  constructor(failed: (connection: Connection, why: string) => void) {
    this.failed = failed
  }

  stanza(): void {}

  lost(connection: Connection, why: string): void {
    this.failed(connection, why)
  }
}
