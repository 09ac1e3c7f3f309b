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

/** setTimeout knows no longer time, about 25 days. */
const LONGEST = 0x7fffffff

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    let timer: NodeJS.Timeout
    const wait = (left: number): void => {
      const now = Math.min(left, LONGEST)
      timer = setTimeout(() => (left > now ? wait(left - now) : call()), now).unref()
    }
    wait(ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
