// Seeded chance: the same seed draws the same load and the same moments. (The machine's timing is
// not seeded: a run repeats its plan, not its interleaving.)

export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to 1, 1 excluded (mulberry32) */
  share(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.share() * (most - least + 1))
  }

  chance(share: number): boolean {
    return this.share() < share
  }

  of<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!
  }
}
