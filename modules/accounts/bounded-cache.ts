// What was read lately, with a bound: the entry that was not used for longest goes first. Who asks says
// how old an entry may be.

interface Entry<V> {
  readonly value: V
  readonly read: number
}

export class BoundedCache<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #most: number
  readonly #now: () => number

  constructor(most: number, now: () => number) {
    this.#most = most
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string, believed = Number.POSITIVE_INFINITY): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.read + believed < this.#now()) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, read: this.#now() })
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value!)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
