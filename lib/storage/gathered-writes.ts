// Writes of many, gathered: while one transaction is under way, what comes meanwhile forms the next. What
// has the same key is never in the same one: the second finds what the first left. Where a transaction
// fails, all in it hear of it.

/** LIM-gathered-writes: in one transaction */
const TOGETHER = 200

interface Waiting<T, R> {
  readonly item: T
  resolve(result: R): void
  reject(error: unknown): void
}

interface Terms<T, R> {
  keyOf(item: T): number | string
  /** One transaction; what became of each, in their order */
  write(items: readonly T[]): Promise<readonly R[]>
}

export class GatheredWrites<T, R> {
  readonly #terms: Terms<T, R>
  #waiting: Waiting<T, R>[] = []
  #running = false

  constructor(terms: Terms<T, R>) {
    this.#terms = terms
  }

  write(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const some = this.#next()
      try {
        const results = await this.#terms.write(some.map(({ item }) => item))
        for (const [at, { resolve }] of some.entries()) resolve(results[at]!)
      } catch (error) {
        for (const { reject } of some) reject(error)
      }
    }
    this.#running = false
  }

  #next(): Waiting<T, R>[] {
    const some = new Map<number | string, Waiting<T, R>>()
    const later: Waiting<T, R>[] = []
    for (const one of this.#waiting) {
      const key = this.#terms.keyOf(one.item)
      if (some.size < TOGETHER && !some.has(key)) some.set(key, one)
      else later.push(one)
    }
    this.#waiting = later
    return [...some.values()]
  }
}
