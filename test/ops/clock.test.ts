// The clock of the system.

import { test } from 'tap'
import { systemClock } from '../../lib/ops/clock.js'

test('a time longer than a timer knows is waited for to its end, and can be cancelled', async (t) => {
  const real = globalThis.setTimeout
  const waits: { ms: number; call: () => void }[] = []
  globalThis.setTimeout = ((call: () => void, ms: number) => {
    waits.push({ ms, call })
    return { unref: () => ({ [Symbol.toPrimitive]: () => 0 }) }
  }) as unknown as typeof setTimeout
  try {
    let called = 0
    const forty = 40 * 86_400_000
    systemClock.after(forty, () => void called++)
    t.equal(waits[0]!.ms, 0x7fffffff)
    waits[0]!.call()
    t.equal(called, 0)
    t.equal(waits[1]!.ms, forty - 0x7fffffff)
    waits[1]!.call()
    t.equal(called, 1)
    systemClock.after(Number.POSITIVE_INFINITY, () => void called++)
    waits[2]!.call()
    t.equal(waits[3]!.ms, 0x7fffffff, 'never stays never')
    t.equal(called, 1)
  } finally {
    globalThis.setTimeout = real
  }
})
