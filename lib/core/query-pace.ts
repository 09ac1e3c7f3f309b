// How often an account may ask for what is read from the log (LIM-archive-queries), whichever module
// answers. Who asks faster is answered later; who asks much faster is refused. Nobody else waits.

import type { Clock, Timer } from '../ops/clock.js'
import { Bucket } from '../streams/pace.js'
import { StanzaError } from '../xmpp/errors.js'

const RATE = { perSecond: 5, burst: 20 }
/** In milliseconds; beyond it a client is told to come back later. */
const LONGEST_WAIT = 10_000
/** Accounts that asked lately; the one seen longest ago is forgotten first. */
const MOST = 10_000

interface Waiting {
  readonly account: number
  resolve(): void
}

export class QueryPace {
  readonly #clock: Clock
  readonly #most: number
  readonly #buckets = new Map<number, Bucket>()
  readonly #waiting = new Map<Timer, Waiting>()

  constructor(clock: Clock, most = MOST) {
    this.#clock = clock
    this.#most = most
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Resolves when it is this query's turn; at once where it is. */
  turn(account: number): Promise<void> | undefined {
    const now = this.#clock.now()
    const bucket = this.#bucket(account, now)
    const wait = bucket.take(1, now)
    if (wait === 0) return undefined
    if (wait <= LONGEST_WAIT) return this.#after(wait, account)
    bucket.take(-1, now)
    throw new StanzaError('resource-constraint', 'too many queries')
  }

  /** A query had more to do than one alone stands for: the next ones wait for it. */
  pay(account: number, queries: number): void {
    const now = this.#clock.now()
    this.#bucket(account, now).take(queries, now)
  }

  /** Nobody of this account waits any longer: a client of it is gone. */
  release(account: number): void {
    for (const [timer, waiting] of this.#waiting)
      if (waiting.account === account) this.#goOn(timer, waiting)
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const [timer, waiting] of this.#waiting) this.#goOn(timer, waiting)
  }

  #goOn(timer: Timer, waiting: Waiting): void {
    timer.cancel()
    this.#waiting.delete(timer)
    waiting.resolve()
  }

  #after(wait: number, account: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(wait, () => {
        this.#waiting.delete(timer)
        resolve()
      })
      this.#waiting.set(timer, { account, resolve })
    })
  }

  #bucket(account: number, now: number): Bucket {
    const bucket = this.#buckets.get(account) ?? new Bucket(RATE, now)
    this.#buckets.delete(account)
    this.#buckets.set(account, bucket)
    if (this.#buckets.size > this.#most) this.#buckets.delete(this.#buckets.keys().next().value!)
    return bucket
  }
}
