// The bus over Redis: one channel for each node. What a turn of the event loop has for a node leaves as one
// batch; batches of a link carry numbers. Redis says how many listened: nobody means that the node is gone.
// Who sees a number missing, or was deaf for a while, has what it missed repaired before it goes on.

import type { Clock, Timer } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import { type Batch, encodeBatch, encodeShared, type Link, partOf, readBatch } from './batch.js'
import type { Bus } from './bus.js'
import type { Member } from './cluster.js'
import { Gaps } from './gaps.js'
import type { Membership } from './membership.js'
import type { RedisLink } from './redis-link.js'

interface RedisBusOptions {
  readonly link: RedisLink
  readonly membership: Membership
  /** Known to the nodes of this cluster alone */
  readonly secret: Buffer
  readonly clock: Clock
  readonly log: Log
}

/** What leaves for one node at the end of this turn */
interface Outgoing {
  readonly frames: Buffer[]
  readonly sent: Promise<boolean>
  done(arrived: boolean): void
}

/** Where all listen, in a Redis that is no cluster: there it is one command, whoever many they are. */
const EVERYBODY = 'tercet:everybody'
/** LIM-bus-under-way: bytes that Redis has not answered; beyond it whoever they are for has missed them. */
const MOST_UNDER_WAY = 64 * 1024 * 1024
/** Milliseconds until whoever may have missed something is told how far the numbers are. */
const AGAIN = 1000

export class RedisBus implements Bus {
  readonly #link: RedisLink
  readonly #membership: Membership
  readonly #secret: Buffer
  readonly #clock: Clock
  readonly #log: Log
  readonly #gaps: Gaps
  #receive: (from: string, frame: Buffer) => void = () => {}
  #outgoing = new Map<string, Outgoing>()
  /** What leaves for all; one of the two is empty. */
  #shared: Buffer[] = []
  /** Of the last batch for each life */
  readonly #numbers = new Map<string, number>()
  /** Nodes for which something did not leave, and their lives */
  readonly #doubtful = new Map<string, string>()
  #reminder: Timer | undefined
  #underWay = 0
  #deafSince = 0
  #closed = false

  static async open(options: RedisBusOptions): Promise<RedisBus> {
    const bus = new RedisBus(options)
    const own = channelOf(bus.node)
    await options.link.listen(options.link.whole ? [own, EVERYBODY] : [own], {
      deaf: () => bus.#deaf(),
      heard: () => bus.#hears(),
    })
    await options.membership.join()
    return bus
  }

  private constructor({ link, membership, secret, clock, log }: RedisBusOptions) {
    this.#link = link
    this.#membership = membership
    this.#secret = secret
    this.#clock = clock
    this.#log = log
    this.#gaps = new Gaps(clock, (batch) => this.#take(batch))
    membership.onLapse((since) => this.#gaps.missed(since))
    membership.onMet((member) => this.#greet(member))
    membership.onGone((member, said) => {
      if (said) this.#forget(member)
      else this.#skip(member)
    })
    link.listener.on('smessageBuffer', (_channel: Buffer, bytes: Buffer) => this.#arrived(bytes))
  }

  get node(): string {
    return this.#membership.self.node
  }

  onFrame(receive: (from: string, frame: Buffer) => void): void {
    this.#receive = receive
  }

  onMissed(repair: (since: number) => Promise<void>): void {
    this.#gaps.repair = repair
  }

  missed(since: number): void {
    this.#gaps.missed(since)
  }

  nodes(): readonly string[] {
    return this.#membership.nodes()
  }

  send(node: string, frame: Buffer): boolean | Promise<boolean> {
    if (this.#closed || this.#membership.lifeOf(node) === undefined) return false
    if (this.#shared.length > 0) this.#flush()
    const outgoing = this.#outgoing.get(node) ?? this.#begin(node)
    outgoing.frames.push(frame)
    return outgoing.sent
  }

  sendAll(frame: Buffer): void {
    const others = this.nodes().filter((node) => node !== this.node)
    if (this.#closed || others.length === 0) return
    if (others.length === 1 || !this.#link.whole) {
      for (const node of others) void this.send(node, frame)
      return
    }
    if (this.#outgoing.size > 0) this.#flush()
    if (this.#shared.length === 0) setImmediate(() => this.#flush())
    this.#shared.push(frame)
  }

  #begin(node: string): Outgoing {
    let done: (arrived: boolean) => void = () => {}
    const sent = new Promise<boolean>((resolve) => {
      done = resolve
    })
    const outgoing = { frames: [], sent, done }
    if (this.#outgoing.size === 0) setImmediate(() => this.#flush())
    this.#outgoing.set(node, outgoing)
    return outgoing
  }

  #flush(): void {
    if (this.#shared.length > 0) void this.#share(this.#shared.splice(0))
    const all = this.#outgoing
    this.#outgoing = new Map()
    for (const [node, { frames, done }] of all) void this.#publish(node, frames).then(done)
  }

  /** Whether somebody listened. */
  async #publish(node: string, frames: readonly Buffer[], last = false): Promise<boolean> {
    const other = this.#membership.lifeOf(node)
    if (other === undefined) return false
    const { life } = this.#membership.self
    const number = this.#next(other)
    try {
      const batch = { from: this.node, life, to: node, toLife: other, number, frames, last }
      const bytes = () => encodeBatch(this.#secret, batch)
      const listeners = await this.#transmit(channelOf(node), bytes)
      if (listeners === 0) this.#membership.gone(node, false)
      return listeners > 0
    } catch {
      this.#doubt(node, other)
      return false
    }
  }

  #next(life: string): number {
    const number = (this.#numbers.get(life) ?? 0) + 1
    this.#numbers.set(life, number)
    return number
  }

  /** Where somebody does not listen, each is told apart: who it is comes to light. */
  async #share(frames: readonly Buffer[]): Promise<void> {
    const others = this.#membership.all().filter(({ node }) => node !== this.node)
    const links = others.map(({ node, life }): Link => [node, life, this.#next(life)])
    const { life } = this.#membership.self
    const batch = { from: this.node, life, links, frames }
    try {
      const listeners = await this.#transmit(EVERYBODY, () => encodeShared(this.#secret, batch))
      if (listeners <= others.length)
        for (const { node, life: other } of others)
          if (this.#membership.lifeOf(node) === other) void this.#publish(node, [])
    } catch {
      for (const { node, life: other } of others) this.#doubt(node, other)
    }
  }

  /** How many listened. Rejects where it did not leave, or nobody knows. */
  async #transmit(channel: string, encode: () => Buffer): Promise<number> {
    if (this.#underWay > MOST_UNDER_WAY) throw new Error('Redis is too slow')
    const bytes = encode()
    this.#underWay += bytes.length
    try {
      return Number(await this.#link.ask((redis) => redis.spublish(channel, bytes)))
    } finally {
      this.#underWay -= bytes.length
    }
  }

  /** While it is taken for gone nothing is sent to it: should it be there, it is to miss a number. */
  #skip({ node, life }: Member): void {
    this.#numbers.set(life, (this.#numbers.get(life) ?? 0) + 1)
    this.#doubt(node, life)
  }

  #forget({ node, life }: Member): void {
    this.#numbers.delete(life)
    this.#doubtful.delete(node)
  }

  /** It learns by the next number that something is missing; so there must be a next one. */
  #doubt(node: string, life: string): void {
    if (this.#closed) return
    this.#doubtful.set(node, life)
    this.#reminder ??= this.#clock.after(AGAIN, () => {
      this.#reminder = undefined
      void this.#remind()
    })
  }

  async #remind(): Promise<void> {
    const doubtful = [...this.#doubtful]
    this.#doubtful.clear()
    const known = await this.#membership.say().then(
      () => true,
      () => false,
    )
    for (const [node, life] of doubtful) {
      if (this.#membership.lifeOf(node) === life) void this.#publish(node, [])
      // It may only not have said so again yet. Its numbers go on then: lower ones it would take for old.
      else if (!known || !this.#membership.sure) this.#doubt(node, life)
    }
  }

  #arrived(bytes: Buffer): void {
    if (this.#closed) return
    const all = readBatch(this.#secret, bytes)
    if (!all) this.#log.warn('something on the bus was written by nobody of this cluster')
    const batch = all && partOf(all, this.node)
    // Otherwise its sender does not know of this life yet, or somebody plays it again.
    if (batch?.toLife === this.#membership.self.life) this.#gaps.arrived(batch)
  }

  #take({ from, life, frames, last }: Batch): void {
    if (this.#closed) return
    for (const frame of frames) this.#receive(from, frame)
    const known = this.#membership.lifeOf(from) === life
    // A later life may be known before the end of this one had its turn.
    if (last && known) this.#membership.gone(from, true)
    // Somebody who is not known yet, or is known by an earlier life.
    if (!last && !known) this.#membership.say().catch(() => undefined)
  }

  #deaf(): void {
    // What was told just before the connection ended may have been lost with it.
    if (this.#deafSince === 0) this.#deafSince = this.#clock.now() - this.#link.silence
  }

  #hears(): void {
    const since = this.#deafSince
    this.#deafSince = 0
    if (since > 0 && !this.#closed) this.#gaps.missed(since)
  }

  /** Now it learns of this one; and that it was told nothing before. One that comes back misses a number. */
  #greet({ node, life }: Member): void {
    if (!this.#closed && !this.#numbers.has(life)) void this.#publish(node, [])
  }

  async close(quietly = false): Promise<void> {
    if (this.#closed) return
    if (!quietly) this.#flush()
    this.#closed = true
    this.#reminder?.cancel()
    for (const { done } of this.#outgoing.values()) done(false)
    this.#outgoing.clear()
    const others = quietly ? [] : this.nodes().filter((node) => node !== this.node)
    await Promise.all(others.map((node) => this.#publish(node, [], true)))
    await this.#membership.leave()
    this.#link.close()
  }
}

function channelOf(node: string): string {
  return `tercet:b:{${node}}`
}
