// Many who come at once: those who are here go on meanwhile, and nobody is forgotten.

import { test } from 'tap'
import { Door } from '../../lib/net/door.js'
import { ManualClock } from '../world/clock.js'

/** What the event loop does beside is `late` milliseconds. */
function scene() {
  const clock = new ManualClock()
  let late = 0
  let passed = 0
  const door = new Door({ clock, now: () => passed })
  const begun: number[] = []
  const refused: number[] = []
  const come = (who: number) =>
    door.enter({ begin: () => begun.push(who), refuse: () => refused.push(who) })
  const pause = (): void => {
    passed += 4 + late
    clock.advance(4)
  }
  const busy = (ms: number): void => {
    late = ms
  }
  return { door, begun, refused, come, pause, busy }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

test('a few begin at once, the others in their order, a few at a time', async (t) => {
  const { door, begun, refused, come, pause } = scene()
  for (const who of upTo(10)) come(who)
  t.same(begun, upTo(4))
  pause()
  t.same(begun, upTo(8))
  come(10)
  t.equal(door.waiting, 3)
  pause()
  t.same(begun, upTo(11))
  pause()
  come(11)
  t.same(begun, upTo(12), 'who comes later need not wait')
  t.same(refused, [])
})

test('while the event loop has much to do they come one by one', async (t) => {
  const { begun, come, pause, busy } = scene()
  for (const who of upTo(10)) come(who)
  busy(30)
  pause()
  t.same(begun, upTo(5))
  pause()
  t.same(begun, upTo(6))
  busy(0)
  pause()
  t.same(begun, upTo(10))
})

test('so many wait and no more (LIM-at-the-door)', async (t) => {
  const { door, begun, refused, come, pause } = scene()
  for (const who of upTo(10_000)) come(who)
  t.same([begun.length, door.waiting, refused.length], [4, 8192, 10_000 - 4 - 8192])
  while (door.waiting > 0) pause()
  t.equal(begun.length, 4 + 8192)
})
