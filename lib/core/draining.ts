// A node whose clients are to move to others: it takes no new ones, and ends the streams of those it has,
// some at a time. A stream that ends with `system-shutdown` (RFC 6120 §4.9.3.19) has its client connect again
// at once; its session stays for it to be resumed elsewhere, with all that it is owed.

import type { Clock } from '../ops/clock.js'
import { StreamError } from '../xmpp/errors.js'
import type { ClientStream } from '../streams/client-stream.js'

/** Milliseconds over which all are spread, where nothing else is said */
export const SPREAD = 10_000
/** LIM-drain: streams of one second, however short the time */
const MOST_A_SECOND = 1000
const STEP = 100

export interface Drained {
  readonly streams: ReadonlySet<ClientStream>
  readonly clock: Clock
  /** Opens and closes the doors for clients. */
  readonly doors: { pause(): void; resume(): Promise<void> }
}

export class Draining {
  readonly #drained: Drained
  #round = 0
  #on = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(drained: Drained) {
    this.#drained = drained
  }

  get phase(): 'running' | 'draining' | 'drained' {
    if (!this.#on) return 'running'
    return this.#drained.streams.size > 0 ? 'draining' : 'drained'
  }

  /** Gives the milliseconds that it will take. */
  begin(spread: number): Promise<number> {
    return this.#next(() => this.#begin(spread))
  }

  #begin(spread: number): number {
    if (!this.#on) this.#drained.doors.pause()
    this.#on = true
    const streams = [...this.#drained.streams]
    const time = Math.max(spread, (streams.length / MOST_A_SECOND) * 1000)
    const portion = Math.ceil((streams.length * STEP) / Math.max(time, STEP))
    this.#step(streams, portion, ++this.#round)
    return Math.ceil(streams.length / Math.max(portion, 1)) * STEP
  }

  #step(streams: ClientStream[], portion: number, round: number): void {
    if (round !== this.#round) return
    for (const stream of streams.splice(0, portion))
      stream.close(new StreamError('system-shutdown'))
    if (streams.length > 0)
      this.#drained.clock.after(STEP, () => this.#step(streams, portion, round))
  }

  /** Those that went are gone; new ones may come. Where the doors do not open, it may be tried again. */
  undo(): Promise<void> {
    return this.#next(async () => {
      this.#round++
      if (!this.#on) return
      await this.#resume()
      this.#on = false
    })
  }

  /** All doors, or none */
  async #resume(): Promise<void> {
    const { doors } = this.#drained
    try {
      await doors.resume()
    } catch (error) {
      doors.pause()
      throw error
    }
  }

  /** One after the other: doors that are being opened are not closed yet. */
  #next<T>(step: () => T | Promise<T>): Promise<T> {
    const next = this.#last.then(step)
    this.#last = next.catch(() => undefined)
    return next
  }
}
