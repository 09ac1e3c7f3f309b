// What this node did not hear. Batches of a life carry numbers: where one is missing, or this node was deaf,
// whatever it missed is repaired first, and what comes meanwhile waits for its turn.

import type { Clock } from '../ops/clock.js'
import type { Batch } from './batch.js'

/** LIM-held-batches: bytes that wait while something is repaired; beyond it they count as missed too. */
const MOST_HELD = 32 * 1024 * 1024
/** Milliseconds until a repair that failed is tried again */
const AGAIN = 1000
/** Milliseconds: whoever was not told for longer has lost its lease, and knows that. */
const UNMET = 60_000

interface Heard {
  readonly life: string
  number: number
  at: number
}

export class Gaps {
  /** Resolves when everything that there was since then is known. */
  repair: (since: number) => Promise<void> = async () => {}
  readonly #clock: Clock
  readonly #take: (batch: Batch) => void
  readonly #began: number
  readonly #heard = new Map<string, Heard>()
  #missed = 0
  #repairing = false
  #held: Batch[] = []
  #heldBytes = 0

  constructor(clock: Clock, take: (batch: Batch) => void) {
    this.#clock = clock
    this.#take = take
    this.#began = clock.now()
  }

  arrived(batch: Batch): void {
    if (!this.#isNew(batch)) return
    if (this.#repairing) this.#hold(batch)
    else this.#take(batch)
  }

  #isNew({ from, life, number, last }: Batch): boolean {
    const heard = this.#heard.get(from)
    const known = heard?.life === life ? heard : undefined
    if (known && number <= known.number) return false
    const now = this.#clock.now()
    // Before its first batch it may not have known of this node, and have told it nothing.
    if (!known || number !== known.number + 1)
      this.missed(known?.at ?? Math.max(this.#began, now - UNMET))
    if (last) this.#heard.delete(from)
    else this.#heard.set(from, { life, number, at: now })
    return true
  }

  /** Something that was sent since this moment may not have arrived. */
  missed(since: number): void {
    this.#missed = this.#missed === 0 ? since : Math.min(this.#missed, since)
    if (!this.#repairing) void this.#run()
  }

  async #run(): Promise<void> {
    this.#repairing = true
    while (this.#missed > 0) {
      const since = this.#missed
      this.#missed = 0
      try {
        await this.repair(since)
      } catch {
        // The database is away: nothing goes on before it is back.
        this.#missed = this.#missed === 0 ? since : Math.min(this.#missed, since)
        await new Promise<void>((resolve) => this.#clock.after(AGAIN, resolve))
      }
    }
    this.#repairing = false
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    // With one of them something may be missed again.
    for (const batch of held)
      if (this.#repairing) this.#hold(batch)
      else this.#take(batch)
  }

  #hold(batch: Batch): void {
    const bytes = batch.frames.reduce((sum, { length }) => sum + length, 0)
    this.#heldBytes += bytes
    this.#held.push(batch)
    if (this.#heldBytes <= MOST_HELD) return
    this.#held = []
    this.#heldBytes = 0
    this.missed(this.#clock.now())
  }
}
