// A question that only reads, asked again where the database did not answer it: what hung for as long as a
// question may is often answered when the next one is asked. For a few seconds only, by the clock, because
// somebody waits; an answer that comes later than that nobody hears. Never for what writes.

import type { Clock } from '../ops/clock.js'
import { isTrouble } from './trouble.js'

/** Milliseconds since the first failure */
const PATIENCE = 6000
/** Milliseconds between two questions */
const SHORTEST = 100
const LONGEST = 1000

export async function askAgain<T>(clock: Clock, question: () => Promise<T>): Promise<T> {
  let until = 0
  for (let pause = SHORTEST; ; pause = Math.min(pause * 2, LONGEST)) {
    try {
      return await (until === 0 ? question() : inTime(clock, until, question))
    } catch (error) {
      if (!isTrouble(error)) throw error
      until ||= clock.now() + PATIENCE
      if (clock.now() + pause >= until) throw error
    }
    await new Promise<void>((resolve) => clock.after(pause, resolve))
  }
}

function inTime<T>(clock: Clock, until: number, question: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error('the database did not answer in time: timeout'))
    const timer = clock.after(until - clock.now(), late)
    question()
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
