// A load of so many messages a second, for faults that last.

import type { Arena } from './arena.js'

const TICK_MS = 10

/** Returns what ends it. */
export function pace(arena: Arena, rate: number): () => void {
  const timer = setInterval(
    () => arena.allow(Math.max(1, Math.round((rate * TICK_MS) / 1000))),
    TICK_MS,
  )
  return () => {
    clearInterval(timer)
    arena.allow(0)
  }
}
