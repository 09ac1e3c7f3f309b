// Time, passed in: wall clock for what people read, timers on the monotonic clock. Tests bring a
// clock of their own (test/world) and move it by hand.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970 */
  now(): number
  /** Calls once, after so many milliseconds; never keeps the process alive. */
  after(ms: number, call: () => void): Timer
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, 0x7fffffff))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
