// A time by which something must have happened; setting another replaces it.

import type { Clock, Timer } from '../ops/clock.js'

export class Deadline {
  readonly #clock: Clock
  readonly #missed: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, missed: () => void) {
    this.#clock = clock
    this.#missed = missed
  }

  within(ms: number): void {
    this.met()
    this.#timer = this.#clock.after(ms, this.#missed)
  }

  met(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
