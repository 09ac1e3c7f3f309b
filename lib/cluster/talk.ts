// What nodes say to each other beside stanzas: something to know, or a question with an answer. By topic;
// the content is plain JSON. A question that nobody answers in time has failed: whoever asked cannot know
// whether it was heard.

import { randomInt } from 'node:crypto'
import type { Clock, Timer } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Bus } from './bus.js'

/** What a frame of ours begins with; one that carries a stanza begins with a bracket. */
const MARK = 0

/** Milliseconds */
const PATIENCE = 5000
/** LIM-questions: open at a time */
const MOST_OPEN = 10_000

/** Nobody was there, or nobody answered in time. */
export class Unanswered extends Error {}

/** Says no, or knows of nothing: what the other node's answer threw. */
export class Refused extends Error {}

type Listen = (content: unknown, from: string) => unknown

/** What is told, asked (with a number) or answered */
type Saying =
  | readonly ['told', topic: string, content: unknown]
  | readonly ['asked', number: number, topic: string, content: unknown]
  | readonly ['answered', number: number, content: unknown]
  | readonly ['refused', number: number, reason: string]

interface Open {
  readonly node: string
  readonly timer: Timer
  answer(content: unknown): void
  fail(error: Error): void
}

export class Talk {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #log: Log
  readonly #topics = new Map<string, Listen>()
  readonly #open = new Map<number, Open>()
  /** An answer to an earlier life of this node is none to this one. */
  #last = randomInt(2 ** 40)

  constructor(bus: Bus, { clock, log }: { clock: Clock; log: Log }) {
    this.#bus = bus
    this.#clock = clock
    this.#log = log
  }

  /** One listener for each topic; what it returns, or promises, is the answer. Ends with what it gives back. */
  on(topic: string, listen: Listen): () => void {
    if (this.#topics.has(topic)) throw new Error(`somebody listens to ${topic} already`)
    this.#topics.set(topic, listen)
    return () => void this.#topics.delete(topic)
  }

  /** To all others, or to one; who is not there does not hear it. */
  tell(topic: string, content: unknown, node?: string): void {
    const frame = encode(['told', topic, content])
    if (node === undefined) this.#bus.sendAll(frame)
    else this.#send(node, frame).catch(() => undefined)
  }

  /** Whether somebody listens there, who may yet be too busy to answer. */
  reaches(node: string): Promise<boolean> {
    return this.#send(node, encode(['told', 'nothing', null])).catch(() => false)
  }

  /** Rejects with Unanswered or Refused. */
  async ask(node: string, topic: string, content: unknown, patience = PATIENCE): Promise<unknown> {
    if (this.#open.size >= MOST_OPEN) throw new Unanswered('too many questions are open')
    const number = ++this.#last
    const answered = this.#await(number, node, patience)
    const arrived = await this.#send(node, encode(['asked', number, topic, content])).catch(
      () => false,
    )
    if (!arrived) this.#end(number)?.fail(new Unanswered(`${node} is not there`))
    return answered
  }

  #await(number: number, node: string, patience: number): Promise<unknown> {
    const answered = new Promise<unknown>((answer, fail) => {
      const timer = this.#clock.after(patience, () =>
        this.#end(number)?.fail(new Unanswered(`${node} does not answer`)),
      )
      this.#open.set(number, { node, timer, answer, fail })
    })
    // Whoever asked may still be sending.
    answered.catch(() => undefined)
    return answered
  }

  #end(number: number): Open | undefined {
    const open = this.#open.get(number)
    open?.timer.cancel()
    this.#open.delete(number)
    return open
  }

  /** Whether the frame was for us. */
  take(from: string, frame: Buffer): boolean {
    if (frame[0] !== MARK) return false
    const saying = JSON.parse(frame.toString('utf8', 1)) as Saying
    if (saying[0] === 'told') void this.#heard(from, saying[1], saying[2])
    else if (saying[0] === 'asked') void this.#asked(from, saying)
    else this.#answered(from, saying)
    return true
  }

  async #heard(from: string, topic: string, content: unknown): Promise<void> {
    try {
      await this.#topics.get(topic)?.(content, from)
    } catch (error) {
      this.#log.error(`a bug in ${topic}`, { error })
    }
  }

  async #asked(
    from: string,
    [, number, topic, content]: Extract<Saying, readonly ['asked', ...unknown[]]>,
  ): Promise<void> {
    const answer = await this.#answer(from, topic, content)
    const saying: Saying =
      'refused' in answer
        ? ['refused', number, answer.refused]
        : ['answered', number, answer.content]
    await this.#send(from, encode(saying)).catch(() => undefined)
  }

  async #answer(
    from: string,
    topic: string,
    content: unknown,
  ): Promise<{ content: unknown } | { refused: string }> {
    const listen = this.#topics.get(topic)
    if (!listen) return { refused: `nobody knows of ${topic}` }
    try {
      return { content: (await listen(content, from)) ?? null }
    } catch (error) {
      if (!(error instanceof Refused)) this.#log.error(`a bug in ${topic}`, { error })
      return { refused: error instanceof Error ? error.message : String(error) }
    }
  }

  #answered(
    from: string,
    [kind, number, content]: Extract<Saying, readonly ['answered' | 'refused', ...unknown[]]>,
  ): void {
    if (this.#open.get(number)?.node !== from) return
    const open = this.#end(number)!
    if (kind === 'answered') open.answer(content)
    else open.fail(new Refused(String(content)))
  }

  async #send(node: string, frame: Buffer): Promise<boolean> {
    return this.#bus.send(node, frame)
  }

  /** It answers nothing any more. */
  giveUp(node: string): void {
    for (const [number, open] of [...this.#open])
      if (open.node === node) this.#end(number)?.fail(new Unanswered(`${node} is over`))
  }

  close(): void {
    for (const number of [...this.#open.keys()])
      this.#end(number)?.fail(new Unanswered('this node stops'))
  }
}

function encode(saying: Saying): Buffer {
  return Buffer.concat([Buffer.from([MARK]), Buffer.from(JSON.stringify(saying), 'utf8')])
}
