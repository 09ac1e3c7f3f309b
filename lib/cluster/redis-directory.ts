// The directory in Redis: one hash for each bare address, a field for each session. The sessions are the
// truth: each node knows its own, says so again whenever Redis is there again, and serves them meanwhile.

import type { Directory, Place } from './directory.js'
import type { RedisLink } from './redis-link.js'

/** An entry that nobody renews is gone after so many milliseconds. */
const LIFETIME = 3_600_000
/** Entries that are written at once */
const TOGETHER = 500

/** Of a place: its node, its resource, whether it is available, its priority */
type Entry = [node: string, resource: string, available: 0 | 1, priority: number]

const nowhere: ReadonlyMap<string, Place> = new Map()

export class RedisDirectory implements Directory {
  readonly #link: RedisLink
  /** What was put here: by account, then by id */
  readonly #own = new Map<string, Map<string, Place>>()

  constructor(link: RedisLink) {
    this.#link = link
    link.whenUp(() => void this.renew())
  }

  async put(account: string, place: Place): Promise<void> {
    const places = this.#own.get(account) ?? new Map<string, Place>()
    this.#own.set(account, places.set(place.id, place))
    await this.#link.attempt((redis) => this.#write(redis.pipeline(), account, place).exec())
  }

  async remove(account: string, id: string): Promise<void> {
    const places = this.#own.get(account)
    if (places?.delete(id) && places.size === 0) this.#own.delete(account)
    await this.#link.attempt((redis) => redis.hdel(keyOf(account), id))
  }

  async lookup(account: string): Promise<readonly Place[]> {
    const own = this.#own.get(account) ?? nowhere
    const found = await this.#link.attempt((redis) => redis.hgetall(keyOf(account)))
    if (!found) return [...own.values()]
    return Object.entries(found).map(([id, text]) => own.get(id) ?? placeOf(id, text))
  }

  /** All that this node has, in portions: after Redis was away, and before entries end. */
  async renew(): Promise<void> {
    const all = [...this.#own].flatMap(([account, places]) =>
      [...places.values()].map((place) => ({ account, place })),
    )
    for (let at = 0; at < all.length; at += TOGETHER) {
      await this.#link.attempt((redis) => {
        const pipeline = redis.pipeline()
        for (const { account, place } of all.slice(at, at + TOGETHER))
          if (this.#own.get(account)?.has(place.id)) this.#write(pipeline, account, place)
        return pipeline.exec()
      })
    }
  }

  async close(): Promise<void> {
    this.#own.clear()
  }

  #write(pipeline: Pipeline, account: string, place: Place): Pipeline {
    const { id, node, resource, available, priority } = place
    const entry: Entry = [node, resource, available ? 1 : 0, priority]
    const key = keyOf(account)
    return pipeline.hset(key, id, JSON.stringify(entry)).pexpire(key, LIFETIME)
  }
}

type Pipeline = ReturnType<RedisLink['commands']['pipeline']>

function placeOf(id: string, text: string): Place {
  const [node, resource, available, priority] = JSON.parse(text) as Entry
  return { id, node, resource, available: available === 1, priority }
}

/** In a cluster of Redis all of an account is in one place. */
function keyOf(account: string): string {
  return `tercet:s:{${account}}`
}
