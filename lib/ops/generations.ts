// What was used lately, up to a bound: two maps, of which the old one is dropped whole when the young one is
// full. Nothing is removed one by one, as finding the oldest of a big map that has lost many costs as much as
// walking over all that it has lost. How much is kept varies between the half of the bound and the whole.

export class Generations<K, V> {
  readonly #half: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  constructor(most: number) {
    this.#half = Math.ceil(most / 2)
  }

  /** Never more than the bound; what is in both counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** What is asked for counts as used. */
  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
