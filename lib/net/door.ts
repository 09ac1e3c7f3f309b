// Where connections come in. Each costs milliseconds until it is somebody (TLS, login); when thousands come back
// at once, those who are here go on meanwhile. Some begin at once; the others wait, and a few begin now and then
// while the event loop has time for it, one where it has none.

import type { Clock } from '../ops/clock.js'

/** Milliseconds */
const PAUSE = 4
/** In each pause that ends in time */
const AT_ONCE = 4
/** A pause that ends later than so many milliseconds: the event loop has enough to do. */
const LATE = 20
/** LIM-at-the-door: connections that wait; who comes then is sent away. */
const MOST_WAITING = 8192

interface Arrival {
  begin(): void
  refuse(): void
}

interface DoorOptions {
  readonly clock: Clock
  /** Milliseconds that pass, whatever is done to the clock */
  readonly now?: () => number
}

export class Door {
  readonly #clock: Clock
  readonly #now: () => number
  #waiting: Arrival[] = []
  #next = 0
  /** In this pause */
  #begun = 0

  constructor({ clock, now = () => performance.now() }: DoorOptions) {
    this.#clock = clock
    this.#now = now
  }

  get waiting(): number {
    return this.#waiting.length - this.#next
  }

  enter(arrival: Arrival): void {
    if (this.waiting === 0 && this.#begun < AT_ONCE) this.#begin(arrival)
    else if (this.waiting < MOST_WAITING) this.#waiting.push(arrival)
    else arrival.refuse()
  }

  #begin(arrival: Arrival): void {
    if (this.#begun++ === 0) this.#pause()
    arrival.begin()
  }

  #pause(): void {
    const due = this.#now() + PAUSE
    this.#clock.after(PAUSE, () => this.#goOn(this.#now() - due > LATE ? 1 : AT_ONCE))
  }

  #goOn(most: number): void {
    this.#begun = 0
    while (this.#begun < most && this.waiting > 0) this.#begin(this.#waiting[this.#next++]!)
    if (this.waiting > 0) return
    this.#waiting = []
    this.#next = 0
  }
}
