// Slows down guessing. An address that failed 10 times in 5 minutes waits 2 seconds for each answer;
// after 20 it gets none for an hour. An address that failed 5 times at one account leaves that
// account alone for the rest of 5 minutes. An account itself is never locked: that would lock out
// its owner (XEP-0205 §3). The maps are bounded; the address seen longest ago is forgotten first. Each
// node counts for itself: a proxy that spreads connections gives a guesser as many tries as there are nodes.

import { createHash } from 'node:crypto'

const WINDOW = 5 * 60_000
const BAN = 60 * 60_000
const SLOW_AFTER = 10
const BAN_AFTER = 20
const PAIR_AFTER = 5
const MOST = 20_000

export const SLOW_DELAY = 2000

interface Failures {
  count: number
  until: number
}

export class Throttle {
  readonly #now: () => number
  readonly #most: number
  readonly #addresses = new Map<string, Failures>()
  readonly #pairs = new Map<string, Failures>()

  constructor(now: () => number, most = MOST) {
    this.#now = now
    this.#most = most
  }

  get size(): number {
    return this.#addresses.size + this.#pairs.size
  }

  verdict(address: string): 'free' | 'slow' | 'refused' {
    const count = this.#count(this.#addresses, network(address))
    if (count >= BAN_AFTER) return 'refused'
    return count >= SLOW_AFTER ? 'slow' : 'free'
  }

  admits(address: string, local: string): boolean {
    return this.#pairs.size === 0 || this.#count(this.#pairs, pair(address, local)) < PAIR_AFTER
  }

  failed(address: string, local: string | undefined): void {
    const count = this.#add(this.#addresses, network(address))
    // From the last failure on, not from the first.
    if (count >= BAN_AFTER) this.#addresses.get(network(address))!.until = this.#now() + BAN
    if (local !== undefined) this.#add(this.#pairs, pair(address, local))
  }

  succeeded(address: string, local: string): void {
    if (this.#pairs.size > 0) this.#pairs.delete(pair(address, local))
  }

  #count(map: Map<string, Failures>, key: string): number {
    const found = map.get(key)
    if (found === undefined) return 0
    if (found.until > this.#now()) return found.count
    map.delete(key)
    return 0
  }

  #add(map: Map<string, Failures>, key: string): number {
    const count = this.#count(map, key) + 1
    const until = map.get(key)?.until ?? this.#now() + WINDOW
    map.delete(key)
    map.set(key, { count, until })
    if (map.size > this.#most) map.delete(map.keys().next().value!)
    return count
  }
}

/** The whole /64 of an IPv6 address: one customer has all of it. */
function network(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0')
  return [...groups, ...rest].slice(0, 4).join(':')
}

/** Of a size that does not depend on what somebody typed. */
function pair(address: string, local: string): string {
  const hashed = createHash('sha256').update(local).digest('base64').slice(0, 22)
  return `${network(address)} ${hashed}`
}
