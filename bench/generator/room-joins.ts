// What entering a large room costs: when it has its occupants, more come, one after the other. Each is told
// of everybody, and everybody of it; the time ends when the last presence has arrived.
import type { Job, Outcome, Plan } from '../job.js'
import { usageOf } from '../measure.js'
import type { Connection, Receiver } from './connection.js'
import { Crowd, logIn } from './crowd.js'
import { Histogram } from './histogram.js'
import { addressOf, enter, fillRoom } from './room-visits.js'

type JoinsPlan = Extract<Plan, { kind: 'room-joins' }>

const LETTER_P = 0x70
const QUIET_MS = 1000
const LOOK_MS = 5

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** Those who are in: how many presences they got. */
class Witnesses implements Receiver {
  presences = 0
  lastAt = 0
  lostSessions = 0

  stanza(_: Connection, bytes: Buffer, start: number): void {
    if (bytes[start + 1] === LETTER_P) this.presences++
  }

  drained(): void {
    this.lastAt = performance.now()
  }

  lost(): void {
    this.lostSessions++
  }

  /** Nothing arrives any more, or so many have. */
  async settled(presences = Number.POSITIVE_INFINITY): Promise<void> {
    this.lastAt = performance.now()
    while (this.presences < presences && performance.now() - this.lastAt < QUIET_MS)
      await pause(LOOK_MS)
  }
}

export async function roomJoins(job: Job, plan: JoinsPlan): Promise<Outcome> {
  const place = job.room
  if (!place) throw new Error('this server has no rooms')
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logIn(job))
  const all = crowd.live()
  const [here, coming] = [all.slice(0, plan.occupants), all.slice(plan.occupants)]
  const address = addressOf(place, `bench${process.pid}`)
  const witnesses = new Witnesses()
  for (const connection of all) connection.receiver = witnesses
  const beganFilling = performance.now()
  await fillRoom(here, address, place)
  await witnesses.settled()
  const fillSeconds = (performance.now() - beganFilling - QUIET_MS) / 1000
  const figures = await joins({ job, witnesses, here, coming, address })
  crowd.close()
  return { failed: crowd.failed + witnesses.lostSessions, figures: { ...figures, fillSeconds } }
}

interface Joining {
  readonly job: Job
  readonly witnesses: Witnesses
  readonly here: readonly Connection[]
  readonly coming: readonly Connection[]
  readonly address: string
}

async function joins({ job, witnesses, here, coming, address }: Joining) {
  const before = usageOf(job.server).cpuSeconds
  const latencies = new Histogram()
  const began = performance.now()
  let expected = witnesses.presences
  for (const [i, connection] of coming.entries()) {
    const at = performance.now()
    await enter(connection, address)
    latencies.record((performance.now() - at) * 1000)
    expected += here.length + i
    await witnesses.settled(expected)
  }
  const seconds = (performance.now() - began) / 1000
  const cpuMs = (usageOf(job.server).cpuSeconds - before) * 1000
  return {
    perSecond: coming.length / seconds,
    cpuMsPerJoin: cpuMs / coming.length,
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    missing: Math.max(0, expected - witnesses.presences),
  }
}
