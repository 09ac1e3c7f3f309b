// Reads by key, gathered: while one query is under way, the keys that are asked for meanwhile form
// the next. One login alone is one query; a thousand devices that come back at once are a few.

const MOST_IN_QUERY = 200

interface Asked<V> {
  readonly key: string
  resolve(found: V | undefined): void
  reject(error: unknown): void
}

export class GatheredReads<V> {
  readonly #query: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>
  #waiting: Asked<V>[] = []
  #running = false

  constructor(query: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>) {
    this.#query = query
  }

  read(key: string): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, MOST_IN_QUERY)
      try {
        const found = await this.#query([...new Set(asked.map(({ key }) => key))])
        for (const { key, resolve } of asked) resolve(found.get(key))
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#running = false
  }
}
