// Addresses by the exact text they were read from, so that a known one costs one look-up.
//
// Bounded by an estimate of bytes, not by entries. An address seen once is on trial; seen again it
// is proven. A flood of strangers turns over the trial part only, and within each part what was used
// since the last turn survives it. The estimate counts a whole address per entry although aliases
// and bare forms share objects: it may say too much, never too little.

import type { Jid } from './jid.js'

/** Bytes of heap an entry takes beside its characters: slots in a Map, the address, its parts. */
const ENTRY = 384

/** Two generations: the young one becomes the old one when it has used half of the bound. */
class Generations {
  #young = new Map<string, Jid>()
  #old = new Map<string, Jid>()
  #used = 0
  readonly #half: number

  constructor(bound: number) {
    this.#half = bound / 2
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(text: string): Jid | undefined {
    return this.#young.get(text) ?? this.#revive(text)
  }

  #revive(text: string): Jid | undefined {
    const found = this.#old.get(text)
    if (found === undefined) return undefined
    this.#old.delete(text)
    this.set(text, found)
    return found
  }

  take(text: string): Jid | undefined {
    const found = this.#young.get(text)
    if (found !== undefined) {
      this.#young.delete(text)
      this.#used -= ENTRY + text.length * 2
      return found
    }
    const old = this.#old.get(text)
    if (old !== undefined) this.#old.delete(text)
    return old
  }

  set(text: string, jid: Jid): void {
    this.#young.set(text, jid)
    this.#used += ENTRY + text.length * 2
    if (this.#used <= this.#half) return
    this.#old = this.#young
    this.#young = new Map()
    this.#used = 0
  }
}

export class JidCache {
  readonly #proven: Generations
  readonly #trial: Generations

  /** @param bound estimated bytes of heap */
  constructor(bound: { proven: number; trial: number }) {
    this.#proven = new Generations(bound.proven)
    this.#trial = new Generations(bound.trial)
  }

  get size(): number {
    return this.#proven.size + this.#trial.size
  }

  get(text: string): Jid | undefined {
    return this.#proven.get(text) ?? this.#promote(text)
  }

  #promote(text: string): Jid | undefined {
    const found = this.#trial.take(text)
    if (found !== undefined) this.#proven.set(text, found)
    return found
  }

  /** For a text that `get` did not find. */
  add(text: string, jid: Jid): void {
    this.#trial.set(text, jid)
  }
}
