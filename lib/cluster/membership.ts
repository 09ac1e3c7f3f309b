// Which nodes there are: each says every few seconds that it is there, for some more. Redis keeps the time,
// so that clocks of machines do not matter. A node that could not say so long enough is none for the others,
// and learns that when it can speak again.

import type { Clock, Timer } from '../ops/clock.js'
import type { RedisLink } from './redis-link.js'

/** Milliseconds */
const EVERY = 5000
const LEASE = 15_000

const KEY = 'tercet:nodes'

/** Members are `node life`, their scores when their leases end. Gives the time, whether ours had ended, and all. */
const SAY_SO = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  local added = redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
  return { now, added, redis.call('ZRANGE', KEYS[1], 0, -1) }`

export interface Member {
  readonly node: string
  /** Of many that a node has had */
  readonly life: string
}

interface MembershipOptions {
  readonly self: Member
  readonly link: RedisLink
  readonly clock: Clock
}

export class Membership {
  readonly self: Member
  readonly #link: RedisLink
  readonly #clock: Clock
  #lives = new Map<string, string>()
  #timer: Timer | undefined
  #saying: Promise<void> | undefined
  #joined = false
  #closed = false
  #lapsed: (() => void) | undefined

  constructor({ self, link, clock }: MembershipOptions) {
    this.self = self
    this.#link = link
    this.#clock = clock
    this.#lives.set(self.node, self.life)
  }

  /** This one included */
  nodes(): readonly string[] {
    return [...this.#lives.keys()]
  }

  lifeOf(node: string): string | undefined {
    return this.#lives.get(node)
  }

  /** Its own lease had ended: others may have taken over what was here. */
  onLapse(run: () => void): void {
    this.#lapsed = run
  }

  /** Says so now, and from now on. While Redis is away the others stay as they were. */
  async join(): Promise<void> {
    await this.say().catch(() => undefined)
    if (!this.#closed) this.#timer = this.#clock.after(EVERY, () => void this.join())
  }

  /** Once for all that ask at a time. */
  say(): Promise<void> {
    this.#saying ??= this.#say().finally(() => {
      this.#saying = undefined
    })
    return this.#saying
  }

  async #say(): Promise<void> {
    const { commands } = this.#link
    const answer = await commands.eval(SAY_SO, 1, KEY, textOf(this.self), LEASE)
    if (this.#closed) return
    const [, added, members] = answer as [number, number, string[]]
    this.#lives = new Map(members.map(memberOf).map(({ node, life }) => [node, life]))
    const lapsed = this.#joined && added === 1
    this.#joined = true
    if (lapsed) this.#lapsed?.()
  }

  /** Nobody listens there, or it said that it ends. */
  gone(node: string): void {
    if (node !== this.self.node) this.#lives.delete(node)
  }

  async leave(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#saying?.catch(() => undefined)
    await this.#link.commands.zrem(KEY, textOf(this.self)).catch(() => undefined)
  }
}

function textOf({ node, life }: Member): string {
  return `${node} ${life}`
}

function memberOf(text: string): Member {
  const at = text.lastIndexOf(' ')
  return { node: text.slice(0, at), life: text.slice(at + 1) }
}
