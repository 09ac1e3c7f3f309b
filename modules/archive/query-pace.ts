// How often an account may ask (LIM-archive-queries). Who asks faster is answered later; who asks much
// faster is refused. Nobody else waits.

import type { Clock, Timer } from '../../lib/ops/clock.js'
import { Bucket } from '../../lib/streams/pace.js'
import { StanzaError } from '../../lib/xmpp/errors.js'

const RATE = { perSecond: 5, burst: 20 }
/** In milliseconds; beyond it a client is told to come back later. */
const LONGEST_WAIT = 10_000
/** Accounts that asked lately; the one seen longest ago is forgotten first. */
const MOST = 10_000

export class QueryPace {
  readonly #clock: Clock
  readonly #most: number
  readonly #buckets = new Map<number, Bucket>()
  readonly #waiting = new Map<Timer, () => void>()

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
    if (wait <= LONGEST_WAIT) return this.#after(wait)
    bucket.take(-1, now)
    throw new StanzaError('resource-constraint', 'too many queries')
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const [timer, resolve] of this.#waiting) {
      timer.cancel()
      resolve()
    }
    this.#waiting.clear()
  }

  #after(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(wait, () => {
        this.#waiting.delete(timer)
        resolve()
      })
      this.#waiting.set(timer, resolve)
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
