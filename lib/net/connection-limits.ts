// How many connections an address may have at once and open in a second (IPv6: a /64), and how many
// there may be at all. Prosody was filled up by strangers who only connected (CVE-2026-43506, SEC-03).
// What is remembered about an address that is gone is forgotten when its bucket would be full again.

import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from '../ops/clock.js'
import { networkOf } from './addresses.js'

export interface ConnectionLimitOptions {
  /** At once, for one address */
  concurrent?: number
  /** In a second, for one address, after a burst */
  rate?: number
  burst?: number
  /** At once, all together */
  total?: number
  /** Addresses remembered */
  remembered?: number
  clock?: Clock
  /** Counted in the total only */
  exempt?: (address: string) => boolean
}

interface Account {
  open: number
  tokens: number
  at: number
}

export type Refusal = 'concurrent' | 'rate' | 'total'

export class ConnectionLimits {
  readonly total: number
  #concurrent: number
  #rate: number
  #burst: number
  #remembered: number
  #clock: Clock
  #exempt: (address: string) => boolean
  #accounts = new Map<string, Account>()
  #open = 0
  readonly refused: Record<Refusal, number> = { concurrent: 0, rate: 0, total: 0 }

  constructor(options: ConnectionLimitOptions = {}) {
    this.total = options.total ?? defaultTotal()
    this.#concurrent = options.concurrent ?? 50
    this.#rate = options.rate ?? 10
    this.#burst = options.burst ?? 30
    this.#remembered = options.remembered ?? 65_536
    this.#clock = options.clock ?? systemClock
    this.#exempt = options.exempt ?? (() => false)
  }

  get open(): number {
    return this.#open
  }

  /** Addresses that are remembered now */
  get size(): number {
    return this.#accounts.size
  }

  /** True: counted, and to be given back with `release`. */
  admit(address: string): boolean {
    const refusal = this.#refusal(address)
    if (refusal === undefined) this.#open++
    else this.refused[refusal]++
    return refusal === undefined
  }

  release(address: string): void {
    this.#open--
    const account = this.#accounts.get(networkOf(address))
    if (account) account.open = Math.max(0, account.open - 1)
  }

  #refusal(address: string): Refusal | undefined {
    if (this.#open >= this.total) return 'total'
    if (this.#exempt(address)) return undefined
    const account = this.#account(networkOf(address))
    if (account.open >= this.#concurrent) return 'concurrent'
    if (account.tokens < 1) return 'rate'
    account.tokens--
    account.open++
    return undefined
  }

  #account(network: string): Account {
    const now = this.#clock.now()
    const known = this.#accounts.get(network)
    if (known) return this.#refill(known, now)
    if (this.#accounts.size >= this.#remembered) this.#forget(now)
    const account = { open: 0, tokens: this.#burst, at: now }
    this.#accounts.set(network, account)
    return account
  }

  #refill(account: Account, now: number): Account {
    const seconds = Math.max(0, now - account.at) / 1000
    account.tokens = Math.min(this.#burst, account.tokens + seconds * this.#rate)
    account.at = now
    return account
  }

  /** Whoever has nothing open and a full bucket; if that is not enough, the oldest with nothing open. */
  #forget(now: number): void {
    for (const [network, account] of this.#accounts) {
      if (account.open === 0 && this.#refill(account, now).tokens >= this.#burst)
        this.#accounts.delete(network)
    }
    for (const [network, account] of this.#accounts) {
      if (this.#accounts.size < this.#remembered) return
      if (account.open === 0) this.#accounts.delete(network)
    }
  }
}

/** Files and the database need descriptors too. */
function defaultTotal(): number {
  return Math.floor(0.9 * openFileLimit())
}

function openFileLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return soft === undefined ? 10_000 : Number(soft)
  } catch {
    return 10_000
  }
}
