// Which nodes there are: each says every few seconds that it is there, for some more, in a stream in Redis.
// The numbers of its entries are Redis's time, so that clocks of machines do not matter. A node that could not
// say so long enough is none for the others, and learns that when it can speak again. Who could not say so for
// a while, or never did before, is not sure of the others: they may not have said so again yet.

import type { Clock, Timer } from '../ops/clock.js'
import type { Member, Members } from './cluster.js'
import { answersOf, type RedisLink } from './redis-link.js'

/** Milliseconds */
const EVERY = 4000
export const LEASE = 12_000

const KEY = 'tercet:members'
/** What an entry says of `node life` */
const HERE = 'here'
const GONE = 'gone'

/** Entries of the stream in Redis: its number begins with the time there, in milliseconds. */
type Entry = [number: string, fields: readonly string[]]

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
  /** By Redis's clock */
  #saidThere = 0
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
    this.#saidThere = 0
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
    const asked = performance.now()
    const { added, members } = await this.#tell()
    if (this.#closed) return
    const before = this.#lives
    this.#lives = new Map(members.map(memberOf).map(({ node, life }) => [node, life]))
    const since = this.#said
    this.#said = this.#clock.now()
    const lapsed = since > 0 && added
    // Redis may have been away for the others as well: their leases can have ended before ours.
    if (lapsed || asked - this.#heard > LEASE - EVERY) this.#doubt()
    this.#heard = asked
    for (const [node, life] of before)
      if (this.#lives.get(node) !== life) this.#mourn({ node, life }, false)
    if (lapsed) this.#lapsed?.(since)
    for (const [node, life] of this.#lives)
      if (node !== this.self.node && before.get(node) !== life) this.#met({ node, life })
  }

  /** Whether its lease had ended, and whose have not, the latest last. */
  async #tell(): Promise<{ added: boolean; members: readonly string[] }> {
    // What ended before it last said so is read by nobody any more.
    const old = Math.max(0, this.#saidThere - LEASE)
    const own = textOf(this.self)
    const told = await this.#link.ask((redis) => {
      const pipeline = redis.pipeline().xadd(KEY, 'MINID', old, '*', HERE, own)
      return answersOf(pipeline.xrange(KEY, '-', '+'))
    })
    const [number, entries] = told as [string, Entry[]]
    const now = timeOf(number)
    this.#saidThere = now
    // Redis was emptied, and its clock set back.
    if (entries.at(-1) === undefined) throw new Error('Redis forgets what it is told')
    const lasting = entries.filter(([each]) => timeOf(each) > now - LEASE)
    const added = !lasting.some(([each, [, text]]) => text === own && each !== number)
    return { added, members: there(lasting) }
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
    await this.#link.attempt((redis) => redis.xadd(KEY, '*', GONE, textOf(this.self)))
  }
}

/** Who said so last, and did not leave since */
function there(entries: readonly Entry[]): readonly string[] {
  const members = new Set<string>()
  for (const [, [word, text]] of entries) {
    members.delete(text!)
    if (word === HERE) members.add(text!)
  }
  return [...members]
}

function timeOf(number: string): number {
  return Number.parseInt(number, 10)
}

function textOf({ node, life }: Member): string {
  return `${node} ${life}`
}

function memberOf(text: string): Member {
  const at = text.lastIndexOf(' ')
  return { node: text.slice(0, at), life: text.slice(at + 1) }
}
