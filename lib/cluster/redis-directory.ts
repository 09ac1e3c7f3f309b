// The directory in Redis: one hash for each bare address, a field for each session. The sessions are the
// truth: each node knows its own whatever Redis says, serves them, and says so again whenever Redis is there
// again, or until it takes it (it may be full).
// What was looked up is remembered: it may be old, and whoever learns that says so (`doubt`).

import type { Clock, Timer } from '../ops/clock.js'
import type { Members } from './cluster.js'
import type { Directory, Place } from './directory.js'
import { answersOf, type RedisLink } from './redis-link.js'

/**
 * An entry that nobody renews is gone after so many milliseconds. With the first renewal: until then there
 * is whoever mourns the life of its node.
 */
const LIFETIME = 3_600_000
/** Until what Redis did not take is said again */
const AGAIN = 4000
/** Entries that are written at once */
const TOGETHER = 500
/** LIM-directory: accounts whose places on other nodes are remembered */
const MOST_KNOWN = 100_000

/** Of a place: its node and the life of that, its resource, whether it is available, its priority */
type Entry = [node: string, life: string, resource: string, available: 0 | 1, priority: number]

type Places = readonly Place[]

interface DirectoryOptions {
  readonly link: RedisLink
  readonly members: Members
  readonly clock: Clock
}

const nowhere: ReadonlyMap<string, Place> = new Map()

export class RedisDirectory implements Directory {
  readonly #link: RedisLink
  readonly #members: Members
  /** What was put here: by account, then by id */
  readonly #own = new Map<string, Map<string, Place>>()
  /** With the own places; by account */
  readonly #known = new Map<string, Places | Promise<Places>>()
  /** When the last answer that is under way is there; by account, as many as stanzas wait for one */
  readonly #open = new Map<string, Promise<void>>()
  /** Accounts of own places that Redis did not take */
  readonly #unsaid = new Set<string>()
  readonly #clock: Clock
  #closed = false
  #timer: Timer | undefined
  #retry: Timer | undefined

  constructor({ link, members, clock }: DirectoryOptions) {
    this.#link = link
    this.#clock = clock
    this.#members = members
    const again = (): void => {
      this.#timer = clock.after(LIFETIME / 3, () => void this.renew().then(again))
    }
    again()
    members.onGone(() => this.#known.clear())
    link.whenUp(() => {
      this.#known.clear()
      void this.renew()
    })
  }

  async put(account: string, place: Place): Promise<void> {
    if (this.#closed) return
    const places = this.#own.get(account) ?? new Map<string, Place>()
    this.#own.set(account, places.set(place.id, place))
    this.#learn(account, (known) => [...without(known, place.id), place])
    const text = this.#entryOf(place)
    const said = await this.#link.attempt((redis) => redis.hset(keyOf(account), place.id, text))
    if (said === undefined) this.#sayAgain([account])
  }

  async remove(account: string, id: string): Promise<void> {
    if (this.#closed) return
    const places = this.#own.get(account)
    if (places?.delete(id) && places.size === 0) this.#own.delete(account)
    this.#learn(account, (known) => without(known, id))
    await this.#link.attempt((redis) => redis.hdel(keyOf(account), id))
  }

  lookup(account: string): Places | Promise<Places> {
    const known = this.#known.get(account)
    const open = this.#open.get(account)
    // A question that is remembered is the last one that is open.
    if (known instanceof Promise || (known && !open)) return known
    if (known)
      return this.#follow(
        account,
        open!.then(() => known),
      )
    const asked: Promise<Places> = Promise.all([this.#ask(account), open]).then(([found]) => {
      // Otherwise something changed meanwhile that the answer may not know of.
      if (this.#known.get(account) === asked) {
        if (found) this.#remember(account, found)
        else this.#known.delete(account)
      }
      return found ?? [...(this.#own.get(account) ?? nowhere).values()]
    })
    this.#remember(account, asked)
    return this.#follow(account, asked)
  }

  #follow(account: string, answer: Promise<Places>): Promise<Places> {
    const done = (): void => {
      if (this.#open.get(account) === over) this.#open.delete(account)
    }
    const over: Promise<void> = answer.then(done, done)
    this.#open.set(account, over)
    return answer
  }

  remembered(account: string): Places | undefined {
    const known = this.#known.get(account)
    return known instanceof Promise ? undefined : known
  }

  doubt(account?: string): void {
    if (account === undefined) this.#known.clear()
    else this.#known.delete(account)
  }

  alone(account: string): void {
    this.#remember(account, [...(this.#own.get(account) ?? nowhere).values()])
  }

  /** Undefined where Redis does not answer. */
  async #ask(account: string): Promise<Places | undefined> {
    const found = await this.#link.attempt((redis) => redis.hgetall(keyOf(account)))
    if (!found) return undefined
    const own = this.#own.get(account) ?? nowhere
    const others = Object.entries(found).flatMap(([id, text]) => this.#read(id, text))
    return [...own.values(), ...others]
  }

  /** Those of lives that have ended are not there, nor are those of an earlier life of this node. */
  #read(id: string, text: string): Place[] {
    const { place, life } = readEntry(id, text)
    const { node } = place
    if (node === this.#members.self.node || this.#members.lifeOf(node) !== life) return []
    return [place]
  }

  async left(account: string, life: string): Promise<Places | undefined> {
    const found = await this.#link.attempt((redis) => redis.hgetall(keyOf(account)))
    if (!found) return undefined
    const entries = Object.entries(found).map(([id, text]) => readEntry(id, text))
    return entries.flatMap((entry) => (entry.life === life ? entry.place : []))
  }

  /** An answer that is under way may be of before or after the change. */
  #learn(account: string, change: (known: Places) => Places): void {
    const known = this.#known.get(account)
    if (known instanceof Promise) this.#known.delete(account)
    else if (known) this.#remember(account, change(known))
  }

  #remember(account: string, places: Places | Promise<Places>): void {
    this.#known.set(account, places)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
  }

  /** All that this node has, in portions: after Redis was away, and before entries end. */
  async renew(): Promise<void> {
    this.#unsaid.clear()
    await this.#sayAll([...this.#own.keys()])
  }

  async #sayAll(accounts: readonly string[]): Promise<void> {
    for (let at = 0; at < accounts.length; at += TOGETHER) {
      const portion = accounts.slice(at, at + TOGETHER)
      const said = await this.#link.attempt((redis) =>
        Promise.all(portion.map((account) => this.#renew(redis.pipeline(), account))),
      )
      if (said === undefined) this.#sayAgain(portion)
    }
  }

  #sayAgain(accounts: readonly string[]): void {
    if (this.#closed) return
    for (const account of accounts) this.#unsaid.add(account)
    this.#retry ??= this.#clock.after(AGAIN, () => {
      this.#retry = undefined
      const unsaid = [...this.#unsaid]
      this.#unsaid.clear()
      void this.#sayAll(unsaid)
    })
  }

  // A pipeline of its own: in a cluster of Redis the keys of one are all on one server.
  async #renew(pipeline: Pipeline, account: string): Promise<void> {
    for (const place of this.#own.get(account)?.values() ?? [])
      pipeline.hset(keyOf(account), place.id, this.#entryOf(place))
    if (pipeline.length > 0) await answersOf(pipeline.pexpire(keyOf(account), LIFETIME))
  }

  /** What is said after it changes nothing: entries of a life that is over stay for whoever mourns it. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#retry?.cancel()
    this.#own.clear()
    this.#known.clear()
  }

  #entryOf({ node, resource, available, priority }: Place): string {
    const { life } = this.#members.self
    const entry: Entry = [node, life, resource, available ? 1 : 0, priority]
    return JSON.stringify(entry)
  }
}

type Pipeline = ReturnType<RedisLink['commands']['pipeline']>

function without(places: Places, id: string): Places {
  return places.filter((place) => place.id !== id)
}

function readEntry(id: string, text: string): { place: Place; life: string } {
  const [node, life, resource, available, priority] = JSON.parse(text) as Entry
  return { place: { id, node, resource, available: available === 1, priority }, life }
}

/** In a cluster of Redis all of an account is in one place. */
function keyOf(account: string): string {
  return `tercet:s:{${account}}`
}
