// Connections that end. When thousands end at once, as when a network goes away, those who are here go on
// meanwhile: what an end costs is done for some milliseconds in each turn of the event loop, in order.

/** Milliseconds in one turn */
const LONGEST = 10

let waiting: (() => void)[] = []
let next = 0
let spent = 0
let turning = false

/** At once where that is possible. It must not throw. */
export function leave(end: () => void): void {
  if (next < waiting.length || spent >= LONGEST) waiting.push(end)
  else run(end)
}

function run(end: () => void): void {
  const began = performance.now()
  if (!turning) setImmediate(turn)
  turning = true
  end()
  spent += performance.now() - began
}

function turn(): void {
  spent = 0
  turning = false
  while (next < waiting.length && spent < LONGEST) run(waiting[next++]!)
  if (next < waiting.length) return
  waiting = []
  next = 0
}
