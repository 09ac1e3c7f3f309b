// How often something may happen within any hour, for each network address (an IPv6 /64 counts as
// one). The map is bounded: the address counted longest ago is forgotten first.

import { networkOf } from '../../lib/net/addresses.js'

const HOUR = 60 * 60_000
const MOST_ADDRESSES = 10_000

export class HourlyLimit {
  readonly #most: number
  readonly #now: () => number
  readonly #times = new Map<string, readonly number[]>()

  constructor(most: number, now: () => number) {
    this.#most = most
    this.#now = now
  }

  get size(): number {
    return this.#times.size
  }

  /** Counts it where it is still allowed. */
  take(address: string): boolean {
    const key = networkOf(address)
    const recent = this.#recent(key)
    if (recent.length >= this.#most) return false
    this.#set(key, [...recent, this.#now()])
    return true
  }

  /** It came to nothing: the last one does not count. */
  giveBack(address: string): void {
    const key = networkOf(address)
    this.#set(key, this.#recent(key).slice(0, -1))
  }

  #recent(key: string): readonly number[] {
    const since = this.#now() - HOUR
    return (this.#times.get(key) ?? []).filter((time) => time > since)
  }

  #set(key: string, times: readonly number[]): void {
    this.#times.delete(key)
    if (times.length > 0) this.#times.set(key, times)
    if (this.#times.size > MOST_ADDRESSES) this.#times.delete(this.#times.keys().next().value!)
  }
}
