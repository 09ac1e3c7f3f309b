// Everybody is in one room, and what one says all hear. Closed loop: a number of messages are in flight, and
// when somebody hears what it said itself, anybody says the next. Open loop: messages leave at random moments
// at a given rate whatever the server does. Some may stop reading as it begins: what counts then is what
// the others notice. Every message carries `@@TIME:SPEAKER@@` in its body.
import type { Job, Outcome, Plan } from '../job.js'
import { partFigures, timesOf, usageOf } from '../measure.js'
import type { Connection, Receiver } from './connection.js'
import { Crowd, logIn } from './crowd.js'
import { Histogram } from './histogram.js'
import { addressOf, fillRoom } from './room-visits.js'

export type RoomPlan = Extract<Plan, { kind: 'room' }>

const AT = 0x40
const COLON = 0x3a
const ZERO = 0x30
const LETTER_M = 0x6d
const KIB_PER_MIB = 1024
const WATCH_MS = 500
/** For what is still under way at the end */
const TAIL_SECONDS = 1

const micros = () => Math.floor(performance.now() * 1000)
const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000))
const gap = () => -Math.log(1 - Math.random())

export class RoomTalk implements Receiver {
  readonly latencies = new Histogram()
  delivered = 0
  sent = 0
  cutOff = 0
  /** What was said came with an id of the room (XEP-0359), as it does where it is kept. */
  hasIds = false
  measuring = false
  private readonly plan: RoomPlan
  private readonly crowd: Crowd
  private readonly speakers: Connection[]
  private readonly stalled: Set<Connection>
  private readonly head: string
  private readonly body: string
  private running = false
  private owed = 0
  private number = 0
  private due = 0

  constructor(plan: RoomPlan, crowd: Crowd, room: string) {
    this.plan = plan
    this.crowd = crowd
    this.head = `<message type='groupchat' to='${room}' id='m`
    this.body = `@@${'x'.repeat(plan.bodyBytes)}</body></message>`
    const all = crowd.live()
    this.stalled = new Set(all.slice(all.length - plan.stalled))
    this.speakers = all.slice(0, all.length - plan.stalled)
    for (const connection of all) connection.receiver = this
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    if (bytes[start + 1] !== LETTER_M) return
    let at = start + 30
    while (at < end && (bytes[at] !== AT || bytes[at + 1] !== AT)) at++
    if (at >= end) return
    let time = 0
    for (at += 2; bytes[at] !== COLON; at++) time = time * 10 + bytes[at]! - ZERO
    let speaker = 0
    for (at++; bytes[at] !== AT; at++) speaker = speaker * 10 + bytes[at]! - ZERO
    if (this.measuring) {
      this.delivered++
      this.latencies.record(micros() - time)
    }
    if (speaker !== connection.index) return
    if (!this.hasIds) this.hasIds = bytes.toString('latin1', start, end).includes('urn:xmpp:sid:0')
    if (this.plan.rate === 0) this.owed++
  }

  lost(connection: Connection, why: string): void {
    if (this.stalled.has(connection)) this.cutOff++
    else this.crowd.count(`occupant ${connection.index} was lost: ${why}`)
  }

  drained(): void {
    for (; this.owed > 0 && this.running; this.owed--) this.speak()
  }

  private speak(): void {
    const { speakers } = this
    const speaker = speakers[Math.floor(Math.random() * speakers.length)]!
    const time = `@@${micros()}:${speaker.index}`
    speaker.write(`${this.head}${++this.number}'><body>${time}${this.body}`)
    if (this.measuring) this.sent++
  }

  begin(): () => void {
    this.running = true
    for (const connection of this.stalled) connection.pause()
    if (this.plan.rate === 0) {
      for (let i = 0; i < this.plan.inFlight; i++) this.speak()
      return () => this.end()
    }
    this.due = micros()
    const timer = setInterval(() => this.speakDue(), 1)
    return () => this.end(timer)
  }

  private end(timer?: NodeJS.Timeout): void {
    this.running = false
    clearInterval(timer)
  }

  private speakDue(): void {
    const mean = 1e6 / this.plan.rate
    for (const now = micros(); this.running && this.due <= now; this.due += mean * gap())
      this.speak()
  }
}

/** The most that the server had while something lasted. */
function watchMemory(pids: readonly number[]): () => number {
  const resident = () => usageOf(pids).residentKb
  let most = resident()
  const timer = setInterval(() => (most = Math.max(most, resident())), WATCH_MS)
  return () => {
    clearInterval(timer)
    return Math.max(most, resident())
  }
}

async function measure(talk: RoomTalk, job: Job, plan: RoomPlan): Promise<Outcome['figures']> {
  const before = usageOf(job.server)
  const beforeParts = timesOf(job.parts ?? {})
  const mostKb = plan.stalled > 0 ? watchMemory(job.server) : () => before.residentKb
  const began = performance.now()
  talk.measuring = true
  await pause(plan.seconds)
  talk.measuring = false
  const seconds = (performance.now() - began) / 1000
  const { delivered } = talk
  const cpuSeconds = usageOf(job.server).cpuSeconds - before.cpuSeconds
  return {
    ...partFigures(beforeParts, timesOf(job.parts ?? {}), delivered),
    cpuMicros: (cpuSeconds * 1e6) / Math.max(1, delivered),
    delivered,
    perSecond: delivered / seconds,
    sentPerSecond: talk.sent / seconds,
    cores: cpuSeconds / seconds,
    p50: talk.latencies.quantile(0.5),
    p99: talk.latencies.quantile(0.99),
    p999: talk.latencies.quantile(0.999),
    grownMb: (mostKb() - before.residentKb) / KIB_PER_MIB,
  }
}

export async function room(job: Job, plan: RoomPlan): Promise<Outcome> {
  const place = job.room
  if (!place) throw new Error('this server has no rooms')
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logIn(job))
  const address = addressOf(place, `bench${process.pid}`)
  await fillRoom(crowd.live(), address, place)
  const talk = new RoomTalk(plan, crowd, address)
  const stop = talk.begin()
  await pause(plan.warmUpSeconds)
  const own = process.cpuUsage()
  const figures = await measure(talk, job, plan)
  const { user, system } = process.cpuUsage(own)
  stop()
  await pause(TAIL_SECONDS)
  crowd.close()
  const outcome = {
    failed: crowd.failed,
    generatorCores: (user + system) / 1e6 / plan.seconds,
    figures: { ...figures, cutOff: talk.cutOff },
  }
  return plan.kept && !talk.hasIds ? { ...outcome, error: 'nothing was archived' } : outcome
}
