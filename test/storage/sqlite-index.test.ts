// The rows of SQLite's index that wait in memory.

import { test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import type { IndexRow } from '../../lib/storage/message-log.js'
import { DeferredIndex } from '../../lib/storage/sqlite-index.js'
import type { Write } from '../../lib/storage/writes.js'

const OWNER = 1

function row(id: number, owner = OWNER): IndexRow {
  return { owner, id, peer: 5, flags: 1, label: 0 }
}

function indexOn(disk: { full: boolean }): DeferredIndex {
  const write = async (): Promise<[]> => {
    if (disk.full) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' })
    return []
  }
  return new DeferredIndex({ write } as unknown as Database, 0, async () => [])
}

const idsOf = (index: DeferredIndex) => index.rows(OWNER).map(({ id }) => id)

test('rows that a failed transaction took away are back in their order', async (t) => {
  const index = indexOn({ full: false })
  for (const id of [1, 2, 3, 4]) index.add(row(id))
  const undo = index.remove(OWNER, ({ id }) => id === 1 || id === 3)
  t.strictSame(idsOf(index), [2, 4])
  index.add(row(5))
  undo()
  t.strictSame(idsOf(index), [1, 2, 3, 4, 5])
})

test('so they are while a batch is on its way, and when it failed', async (t) => {
  const disk = { full: true }
  const index = indexOn(disk)
  for (const id of [1, 2, 3]) index.add(row(id))
  index.added(3)
  const moved = index.flush()
  index.add(row(4))
  const first = index.remove(OWNER, ({ id }) => id === 1 || id === 4)
  first()
  t.strictSame(idsOf(index), [1, 2, 3, 4])
  const second = index.remove(OWNER, ({ id }) => id === 2)
  await t.rejects(moved, { code: 'SQLITE_FULL' })
  second()
  t.strictSame(idsOf(index), [1, 2, 3, 4])
  disk.full = false
  const third = index.remove(OWNER, ({ id }) => id <= 2)
  const again = index.flush()
  third()
  t.strictSame(idsOf(index), [1, 2, 3, 4])
  await again
})

test('no more rows wait than there is room for (LIM-index-waiting)', async (t) => {
  const disk = { full: true }
  const index = indexOn(disk)
  let id = 0
  while (!index.full) {
    index.add(row(++id, id % 1000))
    if (id % 50_000 === 0) index.added(id)
    if (id > 300_000) break
  }
  t.equal(id, 300_000)
  await t.rejects(index.flush())
  t.ok(index.full)
  disk.full = false
  await index.flush()
  t.notOk(index.full)
})

test('a batch that failed goes first, and what became doubtful meanwhile is looked at all the same', async (t) => {
  const disk = { full: true }
  const looked: [number, number][] = []
  const write = async (): Promise<[]> => {
    if (disk.full) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' })
    return []
  }
  const reread = async (from: number, to: number): Promise<IndexRow[]> => {
    looked.push([from, to])
    return []
  }
  const index = new DeferredIndex({ write } as unknown as Database, 0, reread)
  index.add(row(1))
  index.added(1)
  await t.rejects(index.flush())
  index.doubt(2, 4)
  index.add(row(5))
  index.added(5)
  t.strictSame(idsOf(index), [1, 5])
  disk.full = false
  await index.flushed()
  t.strictSame(idsOf(index), [])
  t.ok(looked.some(([from, to]) => from <= 2 && to >= 4))
})

test('however many rows come at once, as many go (LIM-index-waiting)', (t) => {
  const index = indexOn({ full: false })
  for (let id = 0; id < 1_000_000 && !index.full; ) {
    index.step()
    for (let one = 0; one < 1000; one++) index.add(row(++id, id % 1000))
    index.added(id)
  }
  t.notOk(index.full)
  t.end()
})

/** Which rows a step brings: by their messages' numbers */
function numbersIn(step: readonly Write[]): number[] {
  return step.flatMap((write) => {
    if (!('sql' in write)) return []
    const [sides, below] = write.runs[0] as [string, number]
    return (JSON.parse(sides) as number[]).map((one) => Math.abs(one) + below)
  })
}

/** A group of messages, as many as make a step */
function group(index: DeferredIndex, from: number, failing = false): number[] {
  const step = index.step()
  if (failing) return numbersIn(step)
  for (let id = from; id < from + 100; id++) index.add(row(id))
  index.added(from + 99)
  return numbersIn(step)
}

test('a batch goes along with groups of messages; what went with one that failed goes again', (t) => {
  const index = indexOn({ full: false })
  const gone: number[] = []
  const repeated: number[][] = []
  let next = 1
  while (gone.length < 5000) {
    // Nobody has said that the first one is on disk.
    if (next % 3 === 0) repeated.push(group(index, next, true), numbersIn(index.step()))
    gone.push(...group(index, next))
    next += 100
  }
  t.strictSame(
    gone.slice(0, 5000),
    Array.from({ length: 5000 }, (_, at) => at + 1),
  )
  t.ok(repeated.length > 0)
  t.strictSame(
    idsOf(index),
    Array.from({ length: next - 1 }, (_, at) => at + 1),
    'until the batch is complete its rows are read here',
  )
  group(index, next)
  t.equal(idsOf(index)[0], 5001)
  t.end()
})
