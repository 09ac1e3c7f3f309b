// `node build/test/soak/cycles.js [--cycles 100000] [--only text] [--no-tls]`: visitors who come and
// go in every state before login, and what of them is left in the server's memory (SEC-03).
// Ends with 1 where something is. A command and not a test: 100,000 visits take minutes a state.

import { parseArgs } from 'node:util'
import type { Measure } from './server.js'
import { cycles, type State, states } from './states.js'
import { Subject } from './subject.js'
import { leftBehind, listed } from './verdict.js'

const WARM_UP = 2000

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' },
    'no-tls': { type: 'boolean', default: false },
  },
})
const count = Number(values.cycles)
const chosen = states.filter(
  ({ name, tls }) => name.includes(values.only) && !(tls && values['no-tls']),
)
const MEBI = 1024 * 1024

function row(cells: readonly (string | number)[]): string {
  const widths = [31, 8, 8, 18, 18, 14]
  return cells.map((cell, at) => String(cell).padEnd(widths[at] ?? 0)).join(' ')
}

const pair = (before: number, after: number): string =>
  `${(before / MEBI).toFixed(2)} → ${(after / MEBI).toFixed(2)}`

function report(state: State, seconds: number, [before, after]: [Measure, Measure]): boolean {
  const faults = leftBehind(before, after)
  const cells = [
    state.name,
    count,
    seconds.toFixed(1),
    pair(before.heap, after.heap),
    pair(before.rss, after.rss),
    `${before.timers} → ${after.timers}`,
    faults.length === 0 ? 'nothing left' : `LEFT: ${faults.join('; ')}`,
  ]
  console.log(row(cells))
  return faults.length === 0
}

/** A collector may keep what is dead until a little more happens; what leaks it keeps for good. */
async function settledMeasure(state: State, before: Measure): Promise<Measure> {
  let after = await subject.measure()
  for (let again = 0; again < 3 && leftBehind(before, after).length > 0; again++) {
    await cycles(state, { ports, count: Math.min(WARM_UP, count) })
    after = await subject.measure()
  }
  return after
}

const subject = await Subject.start()
const { ports } = subject
console.log(`# handles at the beginning: ${listed(await subject.measure())}`)
console.log(row(['state', 'visits', 'seconds', 'heap MiB', 'resident MiB', 'timers', 'verdict']))
let clean = true
for (const state of chosen) {
  await cycles(state, { ports, count: Math.min(WARM_UP, count) })
  const before = await subject.measure()
  const started = performance.now()
  await cycles(state, { ports, count })
  const seconds = (performance.now() - started) / 1000
  if (!report(state, seconds, [before, await settledMeasure(state, before)])) clean = false
}
console.log(`# handles at the end: ${listed(await subject.measure())}`)
await subject.stop()
process.exitCode = clean ? 0 : 1
