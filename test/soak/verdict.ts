// What it means to leave nothing behind: two measures of the server, before and after.

import type { Measure } from './server.js'

/** Of the heap: what a collector leaves uncertain */
const TOLERANCE = 0.02
const SLACK = 1024 * 1024

/** Every way in which the second is more than the first; empty where nothing was left behind. */
export function leftBehind(before: Measure, after: Measure): string[] {
  const faults: string[] = []
  const same = ['timers', 'streams', 'sessions', 'watched', 'bugs'] as const
  for (const what of same) {
    if (after[what] > before[what]) faults.push(`${what} ${before[what]} → ${after[what]}`)
  }
  if (after.heap > before.heap * (1 + TOLERANCE)) faults.push('heap')
  if (after.external > before.external + SLACK) faults.push('external memory')
  const [first, second] = [listed(before), listed(after)]
  if (first !== second) faults.push(`handles ${first} → ${second}`)
  return faults
}

export function listed({ handles }: Measure): string {
  return Object.entries(handles)
    .sort()
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}
