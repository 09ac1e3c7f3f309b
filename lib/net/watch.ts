// One timer for everything in a connection that must not take for ever: a handshake, a peer that
// does not read, a peer that does not close. Connections with nothing to wait for are not in here
// and cost nothing. Times are counted in ticks of one second, so a wall clock that is set does no harm.

import { type Clock, systemClock } from '../ops/clock.js'

export interface Watched {
  /** Called at every tick; false: need not be looked at any more. */
  check(tick: number): boolean
}

const TICK = 1000

export class Watch {
  tick = 0
  #clock: Clock
  #watched: Watched[] = []
  #running = false

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#watched.length
  }

  /** The tick by which so many milliseconds have surely passed. */
  in(ms: number): number {
    return this.tick + Math.ceil(ms / TICK) + 1
  }

  add(watched: Watched): void {
    this.#watched.push(watched)
    if (this.#running) return
    this.#running = true
    this.#clock.after(TICK, this.#next)
  }

  #next = (): void => {
    this.tick++
    const due = this.#watched
    this.#watched = []
    for (const watched of due) if (watched.check(this.tick)) this.#watched.push(watched)
    this.#running = this.#watched.length > 0
    if (this.#running) this.#clock.after(TICK, this.#next)
  }
}

/** For everybody who brings no other. */
export const sharedWatch = new Watch()
