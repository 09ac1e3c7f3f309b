// Time that passes, whatever is done to the clock: what it jumps by, ahead or back, did not pass. Absences and
// unanswered requests are measured by it. Looked at every second while there is anything to measure.

import type { Clock } from '../../lib/ops/clock.js'

/** Milliseconds: more than this between two looks is a jump. */
const LONGEST = 60_000

export class SteadyTime {
  readonly #clock: Clock
  #last: number
  #passed = 1

  constructor(clock: Clock) {
    this.#clock = clock
    this.#last = clock.now()
  }

  /** Milliseconds since some moment, never 0 */
  get now(): number {
    const now = this.#clock.now()
    const passed = now - this.#last
    this.#last = now
    if (passed > 0 && passed <= LONGEST) this.#passed += passed
    return this.#passed
  }
}
