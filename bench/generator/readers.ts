// Readers that stop reading while messages arrive for each of them, and read on afterwards. What
// they cost the server is measured before and in between, after a garbage collection where the
// server can be told (collector.ts). Each reader has a writer that goes on when its messages are
// acknowledged (XEP-0198 §4). Afterwards every reader must get every message, in order: from its
// own stream, or, where the server closed that, by resuming it; what is still missing then is
// looked for in the archive, and only what is not there either is lost.
import { setTimeout as pause } from 'node:timers/promises'
import type { Job, Outcome, Plan } from '../job.js'
import { type Memory, memoryOf } from '../memory.js'
import type { Connection } from './connection.js'
import { Crowd, logIn } from './crowd.js'
import { Reader } from './reader.js'
import { Writer } from './writer.js'

export type ReadersPlan = Extract<Plan, { kind: 'readers' }>

const WARM_UP = 500
const SETTLE_MS = 3000
/** A reader that gets nothing for so long gets nothing any more. */
const SILENCE_MS = 20_000

class Theatre {
  private readonly job: Job
  private readonly plan: ReadersPlan
  private readonly readers: Reader[]
  private readonly writers: Writer[]

  constructor(job: Job, plan: ReadersPlan, sessions: (Connection | undefined)[]) {
    this.job = job
    this.plan = plan
    const body = 'x'.repeat(plan.bodyBytes)
    const half = plan.users >> 1
    const session = (index: number) => {
      const found = sessions[index]
      if (!found) throw new Error(`session ${index} could not be set up`)
      return found
    }
    const total = WARM_UP + plan.messages
    this.readers = Array.from({ length: half }, (_, i) => new Reader(session(i), job, total))
    this.writers = this.readers.map(({ address }, i) => {
      return new Writer(session(half + i), address, body)
    })
  }

  async run(): Promise<Outcome> {
    await this.write(WARM_UP)
    await this.arrived(WARM_UP)
    const before = await this.weigh()
    for (const reader of this.readers) reader.stop()
    const began = performance.now()
    await this.write(this.plan.messages)
    const seconds = (performance.now() - began) / 1000
    const after = await this.weigh()
    const resumed = await this.readOn()
    return this.outcome({ before, after, seconds, resumed })
  }

  private async write(count: number): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.write(count)))
  }

  private async weigh(): Promise<Memory> {
    await pause(SETTLE_MS)
    return memoryOf(this.job.server[0]!, this.plan.memory)
  }

  private async arrived(count: number): Promise<void> {
    let seen = -1
    for (let now = this.count(); now > seen || this.busy(); now = this.count()) {
      if (this.readers.every((reader) => reader.arrived >= count)) return
      seen = now
      for (let ms = 0; ms < SILENCE_MS && this.count() === seen; ms += 50) await pause(50)
    }
  }

  private busy = () => this.readers.some((reader) => reader.returning)
  private count = () => this.readers.reduce((sum, reader) => sum + reader.arrived, 0)

  private async readOn(): Promise<number> {
    for (const reader of this.readers) reader.goOn()
    await this.arrived(WARM_UP + this.plan.messages)
    for (const reader of this.readers) await reader.lookUp()
    return this.readers.filter((reader) => reader.resumed).length
  }

  private outcome(run: { before: Memory; after: Memory; seconds: number; resumed: number }) {
    const { before, after, seconds, resumed } = run
    const sum = (of: (reader: Reader) => number) =>
      this.readers.reduce((total, reader) => total + of(reader), 0)
    const lost = sum((reader) => reader.missing)
    const disordered = sum((reader) => reader.disordered)
    return {
      failed: lost + disordered,
      figures: {
        residentMb: after.residentMb - before.residentMb,
        heapMb: after.heapMb - before.heapMb,
        perSecond: (this.plan.messages * this.readers.length) / seconds,
        lost,
        disordered,
        twice: sum((reader) => reader.twice),
        fromArchive: sum((reader) => reader.fromArchive),
        closed: this.readers.filter((reader) => reader.closed).length,
        resumed,
      },
    }
  }
}

export async function readers(job: Job, plan: ReadersPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logIn(job))
  return new Theatre(job, plan, crowd.sessions).run()
}
