// How much of what its client sent is on disk, and what the client was told of that (XEP-0198 §4).

import type { Session } from '../../lib/core/session.js'
import { failpoint } from '../../lib/ops/failpoint.js'
import type { Outlet } from './outlet.js'
import type { Registry } from './registry.js'
import { acknowledgement } from './wording.js'

export class Handled {
  /** In the registry's list of those that are told soon */
  telling = false
  readonly #session: Session
  readonly #outlet: Outlet
  readonly #registry: Registry
  #count: number
  #marked: number
  #told = 0
  #wanted = 0
  /** And has no answer yet */
  #asked = false

  constructor(session: Session, terms: { outlet: Outlet; registry: Registry; count: number }) {
    this.#session = session
    this.#outlet = terms.outlet
    this.#registry = terms.registry
    this.#count = terms.count
    this.#marked = terms.count
  }

  /** So many stanzas */
  get count(): number {
    return this.#count
  }

  /** Those included that are on their way to the disk */
  get marked(): number {
    return this.#marked
  }

  mark(count: number): void {
    if (count > this.#marked) this.#marked = count
  }

  /**
   * All that came is decided. What was refused was answered, whether that could be counted by now or not: the
   * next row that is written counts it, or its client would send again what it hears to have failed.
   */
  markAll(): void {
    this.mark(this.#session.lane.received)
  }

  committed(count: number): void {
    if (count <= this.#count) return
    this.#count = count
    this.mark(count)
    if (this.#isDue()) this.#registry.tellSoon(this)
  }

  /** Counting goes on from here, as if so many had been. */
  preset(count: number): void {
    this.#count = count
    this.#marked = count
  }

  /** §5: the client sends again what is beyond the count that it is told. */
  forgetMarked(): void {
    this.#marked = this.#count
  }

  /** The client of another stream is told this count otherwise. */
  toldAnew(): void {
    this.#told = this.#count
    this.#wanted = this.#count
    this.#asked = false
  }

  /**
   * `<r/>`: answered as soon as what came is on disk. Where that takes long the next look says what is
   * there; what comes there later is told unasked.
   */
  asked(): void {
    this.#wanted = this.#session.lane.arrived
    this.#asked = true
    if (this.#count >= this.#wanted) this.tell()
  }

  /** What was asked for is there by now. What waits to be written may say that some of it failed: that is first. */
  tell(): void {
    if (this.#outlet.flowing && this.#isDue()) this.#tell()
  }

  /** Once a second. Whether somebody waits for an answer */
  look(): boolean {
    if (this.#asked) this.#tell()
    return this.#asked
  }

  #isDue(): boolean {
    return this.#told < this.#wanted || (this.#asked && this.#count >= this.#wanted)
  }

  /** §5: nothing is said on a stream before it was told that it is managed or resumed. */
  #tell(): void {
    const { stream } = this.#session
    if (!stream || this.#outlet.quiet) return
    this.#asked = false
    this.#told = this.#count
    stream.write(acknowledgement(this.#count))
    failpoint('during-ack')
  }
}
