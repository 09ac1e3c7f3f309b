// The rows about several nodes: who is where, which rows share a start, how one is compared with another.

import { test } from 'tap'
import { cluster, multitudes, storms } from '../../bench/cluster-works.js'
import { portFor, type Target } from '../../bench/generator/connection.js'
import { groupsOf } from '../../bench/groups.js'
import { readOptions } from '../../bench/options.js'
import { type Run, table } from '../../bench/report.js'
import type { Chat } from '../../bench/work.js'
import { works } from '../../bench/works.js'

const size = readOptions(['--nodes', '2,4'])
const chat = (more: Chat = {}) => {
  const [first] = works(size)
  if (first?.plan.kind !== 'chat') throw new Error('the first row is about chat')
  return { ...first.plan, ...more }
}
const rows = [...cluster(chat, size), ...multitudes(size), ...storms(size)]

test('a pair is on one node or on two, and pairs are on all nodes', (t) => {
  const target: Target = { address: '127.0.0.1', port: 1, domain: '', transport: 'tcp', path: '' }
  const ports = [1, 2, 3]
  const places = (more: Partial<Target>) =>
    [0, 1, 2, 3, 4, 5].map((index) => portFor(index, { ...target, ...more }))
  t.same(places({}), [1, 1, 1, 1, 1, 1])
  t.same(places({ ports }), [1, 1, 2, 2, 3, 3])
  t.same(places({ ports, apart: true }), [1, 2, 2, 3, 3, 1])
  t.end()
})

test('rows have titles of their own, and each is compared with one that there is', (t) => {
  const titles = works(size).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length)
  for (const { against } of rows) if (against) t.ok(titles.includes(against), against)
  t.end()
})

test('rows share a start where they want the same nodes and the same rosters', (t) => {
  const groups = groupsOf(rows)
  t.equal(groups.flatMap((group) => group.works).length, rows.length)
  for (const { works: some, nodes, workers, contacts, accounts } of groups)
    for (const work of some) {
      t.same([work.nodes ?? 1, work.workers ?? 1, work.contacts ?? 0], [nodes, workers, contacts])
      const others = work.plan.kind === 'storm' ? work.plan.others : 0
      t.ok(accounts >= work.plan.users + others, work.title)
    }
  t.end()
})

test('the table says how many times the figure of another row one is', (t) => {
  const one = rows.find(({ title }) => title === 'one node, PostgreSQL, 4 in flight')!
  const other = rows.find(({ title }) => title === '2 nodes, across, 4 in flight')!
  const run = (work: string, cpuMicros: number): Run => ({
    ...{ server: 'x', work, round: 1, failed: 0, disturbance: 0 },
    figures: { cpuMicros },
  })
  const columns = [{ name: 'x', title: 'X', version: '1', readyMs: [] }]
  const text = table([one, other], columns, [run(one.title, 50), run(other.title, 75)])
  t.match(text, /\*\*75\.0 µs\*\*, \*\*1\.50 times\*\*/)
  t.notMatch(text, /\*\*50\.0 µs\*\*, \*\*/)
  t.end()
})
