// Which nodes there are: each says every few seconds that it is there, for some more. Redis keeps the time,
// so that clocks of machines do not matter. A node that could not say so long enough is none for the others,
// and learns that when it can speak again. Who could not say so for a while, or never did before, is not sure
// of the others: they may not have said so again yet.

import type { Clock, Timer } from '../ops/clock.js'
import type { Member, Members } from './cluster.js'
import type { RedisLink } from './redis-link.js'

/** Milliseconds */
const EVERY = 4000
export const LEASE = 12_000

const KEY = 'tercet:nodes'

/** Members are `node life`, their scores when their leases end. Gives whether ours had ended, and all. */
const SAY_SO = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  local added = redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
  return { added, redis.call('ZRANGE', KEYS[1], 0, -1) }`

interface MembershipOptions {
  readonly self: Member
  readonly link: RedisLink
  readonly clock: Clock
}

export class Membership implements Members {
  readonly self: Member
  readonly #link: RedisLink
  readonly #clock: Clock
  #lives = new Map<string, string>()
  #timer: Timer | undefined
  #saying: Promise<void> | undefined
  #said = 0
  /** By a clock that nobody sets, as Redis keeps leases */
  #heard = Number.NEGATIVE_INFINITY
  #unsure = Number.POSITIVE_INFINITY
  #joined = false
  #closed = false
  #met: (member: Member) => void = () => {}
  #lapsed: ((since: number) => void) | undefined
  readonly #mourners: ((member: Member, said: boolean) => void)[] = []

  constructor({ self, link, clock }: MembershipOptions) {
    this.self = self
    this.#link = link
    this.#clock = clock
    this.#lives.set(self.node, self.life)
    link.whenUp(() => this.#again())
  }

  get size(): number {
    return this.#lives.size
  }

  all(): readonly Member[] {
    return [...this.#lives].map(([node, life]) => ({ node, life }))
  }

  nodes(): readonly string[] {
    return [...this.#lives.keys()]
  }

  lifeOf(node: string): string | undefined {
    return this.#lives.get(node)
  }

  get cutOff(): boolean {
    return !this.#link.up
  }

  get silence(): number {
    return this.#link.silence
  }

  get sure(): boolean {
    return !this.cutOff && this.#clock.now() >= this.#unsure
  }

  #doubt(): void {
    this.#unsure = this.#clock.now() + LEASE
  }

  /** Redis may have forgotten everything: the others learn at once who is there. */
  #again(): void {
    this.#doubt()
    if (this.#joined && !this.#closed) this.say().catch(() => undefined)
  }

  /** Its own lease had ended: since it last said so the others may have taken it for gone. */
  onLapse(run: (since: number) => void): void {
    this.#lapsed = run
  }

  /** Another node, or another life of it, is there. */
  onMet(run: (member: Member) => void): void {
    this.#met = run
  }

  onGone(run: (member: Member, said: boolean) => void): void {
    this.#mourners.push(run)
  }

  /** Says so now, and from now on. While Redis is away the others stay as they were. */
  async join(): Promise<void> {
    this.#joined = true
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
    const asked = performance.now()
    const answer = await commands.eval(SAY_SO, 1, KEY, textOf(this.self), LEASE)
    if (this.#closed) return
    const [added, members] = answer as [number, string[]]
    const before = this.#lives
    this.#lives = new Map(members.map(memberOf).map(({ node, life }) => [node, life]))
    const since = this.#said
    this.#said = this.#clock.now()
    const lapsed = since > 0 && added === 1
    // Redis may have been away for the others as well: their leases can have ended before ours.
    if (lapsed || asked - this.#heard > LEASE - EVERY) this.#doubt()
    this.#heard = asked
    for (const [node, life] of before)
      if (this.#lives.get(node) !== life) this.#mourn({ node, life }, false)
    if (lapsed) this.#lapsed?.(since)
    for (const [node, life] of this.#lives)
      if (node !== this.self.node && before.get(node) !== life) this.#met({ node, life })
  }

  /** Nobody listens there, or it said that it ends. */
  gone(node: string, said: boolean): void {
    const life = this.#lives.get(node)
    if (life === undefined || node === this.self.node) return
    this.#lives.delete(node)
    this.#mourn({ node, life }, said)
  }

  #mourn(member: Member, said: boolean): void {
    for (const run of this.#mourners) run(member, said)
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
