// Whether a client is read: held while there is any reason to, and while it has sent more than it may.

import type { Transport } from '../net/transport.js'
import { Pace } from './pace.js'
import type { StreamSurroundings } from './surroundings.js'

export const HELD_BY_FEATURE = 1
export const HELD_BY_SESSION = 2
const HELD_BY_PACE = 4

export class Flow {
  readonly #transport: Transport
  readonly #surroundings: StreamSurroundings
  readonly #pace: Pace | undefined
  #held = 0
  #stanzas = 0
  #stopped = false

  constructor(transport: Transport, surroundings: StreamSurroundings) {
    this.#transport = transport
    this.#surroundings = surroundings
    this.#pace = surroundings.unlimited ? undefined : new Pace(surroundings.clock.now())
  }

  hold(reason: number): void {
    if (this.#held === 0) this.#transport.pause()
    this.#held |= reason
  }

  release(reason: number): void {
    if (this.#held === 0) return
    this.#held &= ~reason
    if (this.#held === 0 && !this.#stopped) this.#transport.resume()
  }

  /** A stanza was read. */
  counts(): void {
    this.#stanzas++
  }

  /** After a read: LIM-rate. */
  spend(bytes: number, now: number): void {
    const wait = this.#pace?.spend(bytes, this.#stanzas, now) ?? 0
    this.#stanzas = 0
    if (wait === 0 || this.#stopped) return
    this.hold(HELD_BY_PACE)
    this.#surroundings.clock.after(wait, () => this.release(HELD_BY_PACE))
  }

  /** The stream ended: it is never read again. */
  stop(): void {
    this.#stopped = true
  }
}
