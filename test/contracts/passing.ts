// A clock for code that waits and tries again.

import type { Clock } from '../../lib/ops/clock.js'

/** Time passes where somebody waits, and nowhere else. */
export function passing(): Clock & { pass(ms: number): void } {
  let now = 0
  return {
    now: () => now,
    pass: (ms) => void (now += ms),
    after(ms, call) {
      now += ms
      const timer = setImmediate(call)
      return { cancel: () => clearImmediate(timer) }
    },
  }
}
