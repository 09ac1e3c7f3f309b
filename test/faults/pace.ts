// A load of so many messages a second, for faults that last.

import type { Arena } from './arena.js'

const TICK_MS = 10

/** Returns what ends it. */
export function pace(arena: Arena, rate: number): () => void {
  let tick = 0
  const each = Math.max(1, Math.round((rate * TICK_MS) / 1000))
  // In turn: a low rate would else be one device's alone.
  const timer = setInterval(() => arena.allow(each, ++tick), TICK_MS)
  return () => {
    clearInterval(timer)
    arena.allow(0)
  }
}
