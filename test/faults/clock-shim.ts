// Goes in front of a node under test: what it takes for the time of day is so many milliseconds off as a
// file in its folder says. Its timers run on the monotonic clock and are left alone.

import { readFileSync } from 'node:fs'

const LOOK_MS = 10
const RealDate = Date
const realNow = Date.now
let offset = 0

function look(): void {
  try {
    offset = Number(readFileSync('clock', 'latin1')) || 0
  } catch {
    offset = 0
  }
}

look()
setInterval(look, LOOK_MS).unref()
RealDate.now = () => realNow.call(RealDate) + offset

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given: unknown[], asked) =>
    Reflect.construct(target, given.length === 0 ? [target.now()] : given, asked) as object,
  apply: (target) => new target(target.now()).toString(),
})
