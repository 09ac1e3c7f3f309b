// How fast one client may send (LIM-rate): two buckets, bytes and stanzas. Whoever empties one is
// read no further until the debt is paid; nothing is dropped and nobody is closed for it.

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export const clientBytes: Rate = { perSecond: 32 * 1024, burst: 128 * 1024 }
export const clientStanzas: Rate = { perSecond: 25, burst: 100 }

export class Bucket {
  readonly #rate: Rate
  #level: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#level = rate.burst
    this.#at = now
  }

  /** Takes so much; the milliseconds until it is paid for, 0 where it is already. */
  take(amount: number, now: number): number {
    const { perSecond, burst } = this.#rate
    const gained = (Math.max(0, now - this.#at) * perSecond) / 1000
    this.#level = Math.min(burst, this.#level + gained) - amount
    this.#at = now
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level * 1000) / perSecond)
  }
}

export class Pace {
  readonly #bytes: Bucket
  readonly #stanzas: Bucket

  constructor(now: number) {
    this.#bytes = new Bucket(clientBytes, now)
    this.#stanzas = new Bucket(clientStanzas, now)
  }

  /** After a read: how long to read no further. */
  spend(bytes: number, stanzas: number, now: number): number {
    return Math.max(this.#bytes.take(bytes, now), this.#stanzas.take(stanzas, now))
  }
}
