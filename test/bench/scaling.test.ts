// The plan of scale: the arithmetic against figures worked out by hand, and the document against the
// arithmetic.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { line } from '../../bench/number-row.js'
import { nodesReached, scaleOf } from '../../bench/scaling.js'
import { type Values, constants, values } from '../../bench/scaling-constants.js'
import { bytes, documentPath, round, SIZES, withTables } from '../../bench/scaling-tables.js'

const withValues = (more: Partial<Values>): Values => ({ ...values, ...more })

test('the tables of docs/scaling.md are what the simulation says', (t) => {
  const text = readFileSync(documentPath(), 'utf8')
  t.equal(withTables(text), text, 'npm run scaling writes them')
  t.throws(() => withTables('no tables'), /no place for the table load/)
  t.end()
})

test('a table stands between its comments, and the words around it stay', (t) => {
  const names = ['load', 'cell', 'message', 'constants']
  const empty = names.map((name) => `${name}!\n<!-- ${name}: x -->\nSTALE\n<!-- end -->\n`).join('')
  const full = withTables(empty)
  for (const name of names) t.match(full, new RegExp(`${name}!\n<!-- ${name}: x -->\n\n\\|`))
  t.notMatch(full, /STALE/)
  t.equal(withTables(full), full)
  t.end()
})

test('every constant says where it comes from', (t) => {
  for (const [name, constant] of Object.entries(constants)) {
    const sources = [
      'measured' in constant && constant.measured,
      'assumed' in constant && constant.assumed,
    ]
    t.equal(sources.filter(Boolean).length, 1, name)
  }
  t.end()
})

test('one machine is one node, and asks nothing of Redis', (t) => {
  const { cells, cell, message, messages, connected } = scaleOf(10_000)
  t.equal(connected, 10_000 * values.connected)
  t.equal(messages, ((10_000 * values.messages) / 86_400) * values.peak)
  t.same([cells, cell.machines, cell.nodes], [1, 1, 1])
  t.same([cell.redisCommands, cell.redisPrimaries, message.commands, message.redis], [0, 0, 0, 0])
  t.equal(message.diskBytes, values.disk)
  t.end()
})

test('more users need more of everything, and no cell goes beyond its limits', (t) => {
  const scales = SIZES.map((users) => scaleOf(users))
  for (const [i, scale] of scales.entries()) {
    t.ok(scale.cell.machines <= values.machines)
    t.ok(scale.cell.wait <= values.patience, `${scale.cell.wait} ms`)
    t.ok(scale.cell.machines * scale.cells >= scale.machines)
    const before = scales[i - 1]
    if (before) t.ok(scale.machines > before.machines && scale.cells >= before.cells)
  }
  t.end()
})

test('a message between cells is committed in both', (t) => {
  const { cells, cell, message } = scaleOf(500_000_000)
  t.ok(cells > 1)
  t.ok(Math.abs(message.diskBytes / (values.disk * (2 - 1 / cells)) - 1) < 1e-9)
  const kept = (500_000_000 * values.messages * values.disk * (2 - 1 / cells)) / cells
  t.ok(Math.abs(cell.diskBytesADay / kept - 1) < 1e-9)
  t.end()
})

test('while the row is free a commit hardly waits; beyond that it waits for all other nodes', (t) => {
  const held = { holdCommit: 1, holdMessage: 0, holdBind: 0, patience: 1e9, machines: 1e9 }
  const calm = scaleOf(1_000_000, withValues({ ...held, holdCommit: 0.1 }))
  t.ok(calm.cell.rowLoad < 1)
  t.ok(calm.cell.wait < 0.1)
  const busy = scaleOf(50_000_000, withValues(held))
  t.equal(busy.cells, 1)
  t.ok(busy.cell.rowLoad > 1)
  t.ok(Math.abs(busy.cell.wait - busy.cell.nodes) < 1, 'a millisecond for each node')
  t.end()
})

test('a message that holds the row too long is never through, and makes cells smaller', (t) => {
  const slow = withValues({ holdMessage: 100, patience: 1e9 })
  const fast = withValues({ holdMessage: 1, patience: 1e9 })
  const { cells, cell } = scaleOf(50_000_000, slow)
  t.ok(cells > scaleOf(50_000_000, fast).cells)
  t.ok(cell.messages * 100e-6 < 1, 'less than one core of PostgreSQL')
  t.end()
})

test('contacts are told node by node, not one by one', (t) => {
  t.equal(nodesReached(1, 1), 0)
  t.equal(nodesReached(1, 2), 0.5)
  t.ok(nodesReached(1000, 10) > 8.99)
  t.ok(nodesReached(15, 1000) > 14.8)
  t.end()
})

test('figures are shown as exactly as they are known', (t) => {
  t.same([0, 0.01234, 1.26, 12.6, 1234.5, 123_456].map(round), [
    '0',
    '0.012',
    '1.3',
    '13',
    '1,230',
    '123,000',
  ])
  t.equal(round(Number.POSITIVE_INFINITY), 'never')
  t.same([0, 771, 30_840_000_000].map(bytes), ['–', '770 B', '31 GB'])
  t.end()
})

test('a line through times of groups gives what a commit takes and what a message', (t) => {
  const { atZero, slope } = line([1, 10, 50].map((size) => [size, 0.5 + 0.02 * size] as const))
  t.ok(Math.abs(atZero - 0.5) < 1e-9)
  t.ok(Math.abs(slope - 0.02) < 1e-9)
  t.end()
})
