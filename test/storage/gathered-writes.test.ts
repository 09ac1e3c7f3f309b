// Writes that come while one is under way go together: bounded, and never two of the same key.

import { test } from 'tap'
import { GatheredWrites } from '../../lib/storage/gathered-writes.js'

interface Item {
  readonly key: string
  readonly fails?: boolean
}

function gathered() {
  const groups: string[][] = []
  const writes = new GatheredWrites<Item, string>({
    keyOf: ({ key }) => key,
    async write(items) {
      groups.push(items.map(({ key }) => key))
      await new Promise((resolve) => setImmediate(resolve))
      if (items.some(({ fails }) => fails)) throw new Error('away')
      return items.map(({ key }) => `${key} in ${groups.length}`)
    },
  })
  return { writes, groups }
}

test('what comes meanwhile goes together, each key once', async (t) => {
  const { writes, groups } = gathered()
  const all = ['a', 'b', 'c', 'b', 'a'].map((key) => writes.write({ key }))
  t.same(await Promise.all(all), ['a in 1', 'b in 2', 'c in 2', 'b in 3', 'a in 2'])
  t.same(groups, [['a'], ['b', 'c', 'a'], ['b']])
  t.equal(await writes.write({ key: 'z' }), 'z in 4')
})

test('a group is bounded (LIM-gathered-writes)', async (t) => {
  const { writes, groups } = gathered()
  await Promise.all(Array.from({ length: 501 }, (_, at) => writes.write({ key: `${at}` })))
  t.same(
    groups.map(({ length }) => length),
    [1, 200, 200, 100],
  )
})

test('where it fails all in it hear of it, and the next goes on', async (t) => {
  const { writes } = gathered()
  const first = writes.write({ key: 'a' })
  const others = [writes.write({ key: 'b', fails: true }), writes.write({ key: 'c' })]
  const next = writes.write({ key: 'b' })
  t.equal(await first, 'a in 1')
  for (const other of others) await t.rejects(other, { message: 'away' })
  t.equal(await next, 'b in 3')
})
