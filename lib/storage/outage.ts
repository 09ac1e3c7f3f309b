// Whether the database takes what it is given. An outage is told at its first failure and when it is
// over, once each; meanwhile whoever may wait tries again, for a time measured by the clock: an attempt
// at a server that does not answer takes long by itself.

import type { Clock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'

/** Milliseconds between two attempts */
const SHORTEST = 50
const LONGEST = 1000

interface Insistence {
  /** By the clock */
  readonly until: number
  /** Whether another attempt may fare better */
  again(error: unknown): boolean
}

export class Outage {
  readonly #clock: Clock
  readonly #log: Log
  #known = false

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  seen(error: unknown): void {
    if (!this.#known) this.#log.error('the database takes nothing', { error })
    this.#known = true
  }

  over(): void {
    if (this.#known) this.#log.info('the database takes what it is given again')
    this.#known = false
  }

  async insist<T>(work: () => Promise<T>, { until, again }: Insistence): Promise<T> {
    for (let pause = SHORTEST; ; pause = Math.min(pause * 2, LONGEST)) {
      try {
        return await work()
      } catch (error) {
        if (!again(error)) throw error
        this.seen(error)
        if (this.#clock.now() >= until) throw error
        await new Promise<void>((resolve) => this.#clock.after(pause, resolve))
      }
    }
  }
}
