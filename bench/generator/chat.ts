// Users in pairs write to each other. Closed loop: each keeps a number of messages in flight and
// writes the next one when one arrived; where only some write at a time, the next one is written by
// anybody. Open loop: messages leave at random moments at a given
// rate whatever the server does. Each message is a write of its own, as people write. Every message
// carries `@@TIME:RECIPIENT@@` in its body; a text that reaches anybody else came back as an error
// or is a copy, and is not counted as delivered.
import type { Job, Outcome, Plan } from '../job.js'
import { partFigures, timesOf, usageOf } from '../measure.js'
import { commandFigures, RedisCommands } from '../redis-commands.js'
import { keepsAnything } from './archive.js'
import type { Connection, Receiver } from './connection.js'
import { Crowd, logIn } from './crowd.js'
import { Histogram } from './histogram.js'

export type ChatPlan = Extract<Plan, { kind: 'chat' }>

const AT = 0x40
const COLON = 0x3a
const ZERO = 0x30
const LETTER_A = 0x61
const LETTER_M = 0x6d
const SM = 'urn:xmpp:sm:3'
/** An open loop that is this far behind has lost: the server cannot carry the rate. */
const OUTSTANDING_LIMIT = 200_000

const micros = () => Math.floor(performance.now() * 1000)
const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000))

/** Exponentially distributed around 1: arrivals that know nothing of each other. */
const gap = () => -Math.log(1 - Math.random())

class Side {
  readonly connection: Connection
  readonly head: string
  readonly tail: string
  owed = 0
  unasked = 0
  /** Stanzas since stream management is on: the roster and the presence were first. */
  count = 2
  /** When acknowledgements were asked for, and of how many stanzas, oldest first. */
  readonly asked: { time: number; count: number }[] = []

  constructor(connection: Connection, to: string, tail: string) {
    this.connection = connection
    this.head = `<message type='chat' to='${to}' id='m`
    this.tail = tail
  }
}

export class Chat implements Receiver {
  private readonly plan: ChatPlan
  private readonly crowd: Crowd
  private readonly sides: (Side | undefined)[] = []
  private readonly present: Side[] = []
  private readonly dirty: Side[] = []
  private sent = 0
  private running = false
  private measuring = false
  private delivered = 0
  private acknowledged = 0
  private returned = 0
  private outstanding = 0
  /** In the open loop, when the next message leaves. */
  private due = 0
  private latencies = new Histogram()
  private acknowledgements = new Histogram()

  constructor(job: Job, plan: ChatPlan, crowd: Crowd) {
    this.plan = plan
    this.crowd = crowd
    const body = 'x'.repeat(Math.max(0, plan.bodyBytes))
    for (const connection of crowd.live()) {
      const to = connection.index ^ 1
      const address = `${job.login.prefix}${to}@${job.target.domain}`
      const tail = `:${to}@@${body}</body></message>`
      const side = new Side(connection, address, tail)
      this.sides[connection.index] = side
      this.present.push(side)
      connection.receiver = this
    }
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const letter = bytes[start + 1]
    if (letter === LETTER_M) this.message(connection.index, bytes, start, end)
    else if (letter === LETTER_A)
      this.acknowledgement(connection.index, bytes.toString('latin1', start, end))
  }

  lost(connection: Connection, why: string): void {
    this.crowd.count(`session ${connection.index} was lost: ${why}`)
  }

  drained(): void {
    if (this.dirty.length > 0) this.flush()
    else if (this.plan.rate > 0) this.writeDue()
  }

  private message(index: number, bytes: Buffer, start: number, end: number): void {
    let at = start + 30
    while (at < end && (bytes[at] !== AT || bytes[at + 1] !== AT)) at++
    if (at >= end) return
    let time = 0
    for (at += 2; bytes[at] !== COLON; at++) time = time * 10 + bytes[at]! - ZERO
    let to = 0
    for (at++; bytes[at] !== AT; at++) to = to * 10 + bytes[at]! - ZERO
    if (to !== index) {
      this.stray(bytes, start, end)
      return
    }
    this.outstanding--
    if (this.measuring) {
      this.delivered++
      this.latencies.record(micros() - time)
    }
    if (this.running && this.plan.rate === 0) this.owe(this.successor(index))
  }

  private successor(index: number): Side | undefined {
    return this.plan.writers > 0 ? this.anybody() : this.sides[index ^ 1]
  }

  private anybody(): Side {
    return this.present[Math.floor(Math.random() * this.present.length)]!
  }

  private stray(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    if (!/^<message[^>]*type=['"]error/.test(text)) return
    if (this.returned++ === 0) process.stderr.write(`a message came back: ${text}\n`)
  }

  /** One answer may be for several requests. */
  private acknowledgement(index: number, text: string): void {
    const asked = this.sides[index]?.asked ?? []
    const handled = Number(/ h=['"](\d+)/.exec(text)?.[1])
    while (asked[0] && asked[0].count <= handled) {
      const { time } = asked.shift()!
      if (!this.measuring) continue
      this.acknowledged++
      this.acknowledgements.record(micros() - time)
    }
  }

  private owe(side: Side | undefined): void {
    if (side === undefined) return
    if (side.owed++ === 0) this.dirty.push(side)
  }

  private flush(): void {
    for (const side of this.dirty) for (; side.owed > 0; side.owed--) this.write(side)
    this.dirty.length = 0
  }

  private write(side: Side): void {
    const time = micros()
    this.outstanding++
    side.count++
    side.connection.send(`${side.head}${++this.sent}'><body>@@${time}${side.tail}`)
    if (this.plan.askEvery > 0 && ++side.unasked >= this.plan.askEvery) this.ask(side, time)
    side.connection.flush()
  }

  private ask(side: Side, time: number): void {
    side.unasked = 0
    if (!side.connection.managed) return
    side.asked.push({ time, count: side.count })
    side.connection.send(`<r xmlns='${SM}'/>`)
  }

  /** Warms up, then measures, at most until told. */
  async run({ server, parts = {}, redis, until }: Measured): Promise<Outcome> {
    const commands = redis === undefined ? undefined : await RedisCommands.open(redis)
    this.running = true
    const stop = this.plan.rate > 0 ? this.openLoop() : this.closedLoop()
    await pause(this.plan.warmUpSeconds)
    const asked = await commands?.counts()
    const before = usageOf(server)
    const beforeParts = timesOf(parts)
    const own = process.cpuUsage()
    const began = performance.now()
    const span = { began: Date.now(), ended: 0 }
    const sentBefore = this.sent
    this.measuring = true
    await Promise.race([pause(this.plan.seconds), ...(until ? [until] : [])])
    this.measuring = false
    span.ended = Date.now()
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(own)
    const cpuSeconds = usageOf(server).cpuSeconds - before.cpuSeconds
    const sent = this.sent - sentBefore
    const { delivered } = this
    const byPart = partFigures(beforeParts, timesOf(parts), delivered)
    const after = await commands?.counts()
    commands?.close()
    this.running = false
    stop()
    await pause(0.2)
    const ownSeconds = (user + system) / 1e6
    const outcome = this.outcome({ seconds, cpuSeconds, sent, ownSeconds })
    Object.assign(outcome.figures, byPart)
    if (asked && after) Object.assign(outcome.figures, commandFigures(asked, after, delivered))
    return { ...outcome, span }
  }

  private closedLoop(): () => void {
    const { writers, inFlight } = this.plan
    const first = this.present.slice(0, writers || this.present.length)
    for (const side of first) for (let i = 0; i < inFlight; i++) this.owe(side)
    this.flush()
    return () => {}
  }

  private openLoop(): () => void {
    this.due = micros()
    const timer = setInterval(() => this.writeDue(), 1)
    return () => clearInterval(timer)
  }

  private writeDue(): void {
    const meanGap = 1e6 / this.plan.rate
    for (const now = micros(); this.running && this.due <= now; this.due += meanGap * gap()) {
      if (this.outstanding < OUTSTANDING_LIMIT) this.write(this.anybody())
    }
  }

  private acks(): Record<string, number> {
    return {
      acknowledged: this.acknowledged,
      ackP50: this.acknowledgements.quantile(0.5),
      ackP99: this.acknowledgements.quantile(0.99),
    }
  }

  private outcome(run: Record<'seconds' | 'cpuSeconds' | 'sent' | 'ownSeconds', number>): Outcome {
    const { seconds, cpuSeconds } = run
    const asked = this.plan.askEvery > 0
    return {
      failed: this.crowd.failed + this.returned,
      generatorCores: run.ownSeconds / seconds,
      figures: {
        cpuMicros: (cpuSeconds * 1e6) / Math.max(1, this.delivered),
        delivered: this.delivered,
        perSecond: this.delivered / seconds,
        sentPerSecond: run.sent / seconds,
        cores: cpuSeconds / seconds,
        p50: this.latencies.quantile(0.5),
        p99: this.latencies.quantile(0.99),
        p999: this.latencies.quantile(0.999),
        outstanding: this.outstanding,
        ...(asked && this.acks()),
      },
    }
  }
}

type Measured = Pick<Job, 'server' | 'parts' | 'redis'> & { until?: Promise<unknown> }

export async function chat(job: Job, plan: ChatPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(plan.users, job.login.concurrency, logIn(job))
  const outcome = await new Chat(job, plan, crowd).run(job)
  const [first] = crowd.live()
  const kept = !plan.kept || (first !== undefined && (await keepsAnything(first)))
  crowd.close()
  return kept ? outcome : { ...outcome, error: 'nothing was archived' }
}
