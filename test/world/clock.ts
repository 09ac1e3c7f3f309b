// Time that stands still until the test moves it.

import type { Clock, Timer } from '../../lib/ops/clock.js'

interface Pending {
  at: number
  call: () => void
}

export class ManualClock implements Clock {
  #now: number
  #timers = new Set<Pending>()

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): Timer {
    const timer = { at: this.#now + ms, call }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Timers that come due run in their order, each at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.call()
    }
    this.#now = until
  }

  /** Set to another time: none passes, and timers keep what is left of theirs. */
  jump(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) timer.at += ms
  }

  get waiting(): number {
    return this.#timers.size
  }
}
