// What a node did not hear is repaired before it goes on.

import { test } from 'tap'
import type { Batch } from '../../lib/cluster/batch.js'
import { Gaps } from '../../lib/cluster/gaps.js'
import { ManualClock } from '../world/clock.js'

function heard() {
  const clock = new ManualClock()
  const taken: number[] = []
  const gaps = new Gaps(clock, ({ number }) => void taken.push(number))
  const repairs: { since: number; done(): void; fail(error: Error): void }[] = []
  gaps.repair = (since) => new Promise((done, fail) => void repairs.push({ since, done, fail }))
  const batch = (number: number, more: Partial<Batch> = {}): void =>
    gaps.arrived({ from: 'b', life: 'l', ...TO, number, frames: [], last: false, ...more })
  /** The first batch of that life, and what is read then */
  const meets = async (more: Partial<Batch> = {}): Promise<void> => {
    batch(1, more)
    repairs.pop()!.done()
    await turn()
  }
  return { clock, gaps, taken, repairs, batch, meets }
}

const TO = { to: 'a', toLife: 'k' }

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('numbers in a row are taken at once; one that was there already is not', async (t) => {
  const { taken, repairs, batch, meets } = heard()
  await meets()
  for (const number of [2, 2, 1, 3]) batch(number)
  t.same(taken, [1, 2, 3])
  t.equal(repairs.length, 0)
})

test('whoever is met may not have known of this one before: the last minute is read, or all since it began', async (t) => {
  const { clock, taken, repairs, batch } = heard()
  const began = clock.now()
  clock.advance(5000)
  batch(1)
  t.same(taken, [])
  repairs[0]!.done()
  await turn()
  t.same(taken, [1])
  clock.advance(86_400_000)
  batch(1, { from: 'c', life: 'm' })
  batch(2, { from: 'd', life: 'n' })
  repairs[1]!.done()
  await turn()
  t.same(
    repairs.map(({ since }) => since),
    [began, clock.now() - 60_000, clock.now() - 60_000],
  )
})

test('where one is missing all wait until what there was since the last one is known', async (t) => {
  const { clock, taken, repairs, batch, meets } = heard()
  await meets({ from: 'c', life: 'm' })
  await meets()
  const at = clock.now()
  clock.advance(5000)
  batch(3)
  batch(4)
  batch(2, { from: 'c', life: 'm' })
  t.same(taken, [1, 1])
  t.same(
    repairs.map(({ since }) => since),
    [at],
  )
  repairs[0]!.done()
  await turn()
  t.same(taken, [1, 1, 3, 4, 2])
})

test('another life begins with one; who was deaf says since when', async (t) => {
  const { taken, repairs, batch, gaps } = heard()
  batch(7, { life: 'k', last: true })
  t.equal(repairs.length, 1)
  repairs[0]!.done()
  await turn()
  batch(1)
  repairs.pop()!.done()
  await turn()
  t.same(taken, [7, 1])
  gaps.missed(42)
  batch(2)
  t.same(taken, [7, 1])
  gaps.missed(40)
  repairs[1]!.done()
  await turn()
  t.same(repairs.map(({ since }) => since).slice(1), [42, 40])
  repairs[2]!.done()
  await turn()
  t.same(taken, [7, 1, 2])
})

test('a repair that fails is tried again; nothing goes on before', async (t) => {
  const { clock, taken, repairs, batch } = heard()
  batch(2)
  repairs[0]!.fail(new Error('the database is away'))
  await turn()
  t.same(taken, [])
  clock.advance(1000)
  await turn()
  repairs[1]!.done()
  await turn()
  t.same(taken, [2])
})

test('what waits is bounded: beyond it everything is read anew (LIM-held-batches)', async (t) => {
  const { taken, repairs, batch } = heard()
  batch(2)
  const frames = [Buffer.alloc(20 * 1024 * 1024)]
  batch(3, { frames })
  batch(4, { frames })
  batch(5)
  repairs[0]!.done()
  await turn()
  t.equal(repairs.length, 2)
  repairs[1]!.done()
  await turn()
  t.same(taken, [5])
})

test('where something is missing again among what waited, the rest waits on', async (t) => {
  const { gaps, taken, repairs, batch, meets } = heard()
  await meets()
  gaps.missed(42)
  const asked = gaps.missed.bind(gaps)
  batch(2)
  batch(3, { last: true })
  batch(1, { from: 'c', life: 'm' })
  // Whoever takes the second one learns that it was deaf.
  taken.push = (...numbers) => {
    if (numbers[0] === 2) asked(43)
    return Array.prototype.push.apply(taken, numbers)
  }
  while (repairs.length > 0) {
    repairs.shift()!.done()
    await turn()
    if (taken.includes(2)) break
  }
  t.same(taken, [1, 2])
  t.equal(repairs.length, 1)
  repairs[0]!.done()
  await turn()
  t.same(taken, [1, 2, 3, 1])
})
