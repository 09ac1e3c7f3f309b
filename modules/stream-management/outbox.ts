// Stanzas that a client has not acknowledged, oldest first: a ring, so that a stanza costs no search
// and no node of a list. Of those that are in the message log the text may be let go; what is left says
// where it is. The first ones were written to the stream, the rest waits to be.

import type { Envelope } from '../../lib/xmpp/envelope.js'
import { sizeOf } from '../../lib/xmpp/held-back.js'

/** A message whose text is in the log alone */
export interface Elsewhere {
  readonly logId: number
  readonly size: number
}

export type Owed = Envelope | Elsewhere

const SMALL = 16

export class Outbox {
  /** How many of them were written to the stream */
  written = 0
  /** Of all of them, wherever their text is */
  bytes = 0
  #ring: (Owed | undefined)[] = new Array(SMALL)
  #head = 0
  #length = 0
  #logged = 0
  #newest = 0
  #ordered = true
  /** The first so many are not in the log. */
  #unlogged = 0

  get length(): number {
    return this.#length
  }

  push(owed: Owed): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2)
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = owed
    this.#length++
    this.bytes += sizeIn(owed)
    if (owed.logId > 0) this.#pushed(owed.logId)
  }

  at(place: number): Owed {
    return this.#ring[(this.#head + place) & (this.#ring.length - 1)]!
  }

  put(place: number, owed: Owed): void {
    this.bytes += sizeIn(owed) - sizeIn(this.at(place))
    this.#ring[(this.#head + place) & (this.#ring.length - 1)] = owed
  }

  shift(): Owed {
    const owed = this.#ring[this.#head]!
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    this.bytes -= sizeIn(owed)
    if (this.written > 0) this.written--
    if (this.#unlogged > 0) this.#unlogged--
    if (owed.logId > 0) this.#logged--
    if (this.#length === 0 && this.#ring.length > SMALL) this.#resize(SMALL)
    return owed
  }

  /** Takes out those that were not written and do not pass. */
  sift(keep: (owed: Owed) => boolean): void {
    const all = [...this]
    const { written } = this
    this.clear()
    for (let place = 0; place < all.length; place++)
      if (place < written || keep(all[place]!)) this.push(all[place]!)
    this.written = written
  }

  clear(): void {
    while (this.#length > 0) this.shift()
  }

  /** Texts that the log has leave memory. */
  letGo(): void {
    for (let place = 0; place < this.#length; place++) {
      const owed = this.at(place)
      if (owed.logId > 0 && 'stanza' in owed)
        this.put(place, { logId: owed.logId, size: sizeIn(owed) })
    }
  }

  /** The lowest number in the log that is among them; 0 where none is. */
  get lowest(): number {
    if (this.#logged === 0) return 0
    if (!this.#ordered) return this.#search()
    while (this.at(this.#unlogged).logId === 0) this.#unlogged++
    return this.at(this.#unlogged).logId
  }

  /** The highest number of a message that was added since there was none in the log */
  get highest(): number {
    return this.#logged === 0 ? 0 : this.#newest
  }

  *[Symbol.iterator](): Generator<Owed> {
    for (let place = 0; place < this.#length; place++) yield this.at(place)
  }

  /** Those whose text is here */
  *envelopes(): Generator<Envelope> {
    for (const owed of this) if ('stanza' in owed) yield owed
  }

  #pushed(id: number): void {
    if (this.#logged === 0) {
      this.#ordered = true
      this.#newest = id
    } else if (id < this.#newest) this.#ordered = false
    this.#newest = Math.max(this.#newest, id)
    this.#logged++
  }

  #search(): number {
    let lowest = Number.MAX_SAFE_INTEGER
    for (let place = 0; place < this.#length; place++) {
      const { logId } = this.at(place)
      if (logId > 0 && logId < lowest) lowest = logId
    }
    return lowest
  }

  /** To a power of two */
  #resize(capacity: number): void {
    const ring: (Owed | undefined)[] = new Array(capacity)
    for (let place = 0; place < this.#length; place++) ring[place] = this.at(place)
    this.#ring = ring
    this.#head = 0
  }
}

function sizeIn(owed: Owed): number {
  return 'stanza' in owed ? sizeOf(owed, 2) : owed.size
}
