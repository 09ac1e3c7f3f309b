// The bus over Redis: one channel for each node. What a turn of the event loop has for a node leaves as one
// batch; batches of a link carry numbers. Redis says how many listened: nobody means that the node is gone.

import type { Log } from '../ops/log.js'
import { type Batch, encodeBatch, readBatch } from './batch.js'
import type { Bus } from './bus.js'
import type { Membership } from './membership.js'
import type { RedisLink } from './redis-link.js'

interface RedisBusOptions {
  readonly link: RedisLink
  readonly membership: Membership
  /** Known to the nodes of this cluster alone */
  readonly secret: Buffer
  readonly log: Log
}

/** What leaves for one node at the end of this turn */
interface Outgoing {
  readonly frames: Buffer[]
  readonly sent: Promise<boolean>
  done(arrived: boolean): void
}

interface Heard {
  readonly life: string
  number: number
}

export class RedisBus implements Bus {
  readonly #link: RedisLink
  readonly #membership: Membership
  readonly #secret: Buffer
  readonly #log: Log
  #receive: (from: string, frame: Buffer) => void = () => {}
  #outgoing = new Map<string, Outgoing>()
  /** Of the last batch for each node */
  readonly #numbers = new Map<string, number>()
  readonly #heard = new Map<string, Heard>()
  #closed = false

  static async open(options: RedisBusOptions): Promise<RedisBus> {
    const bus = new RedisBus(options)
    await options.link.listen(channelOf(bus.node))
    await options.membership.join()
    bus.#greet()
    return bus
  }

  private constructor({ link, membership, secret, log }: RedisBusOptions) {
    this.#link = link
    this.#membership = membership
    this.#secret = secret
    this.#log = log
    link.listener.on('smessageBuffer', (_channel: Buffer, bytes: Buffer) => this.#arrived(bytes))
  }

  get node(): string {
    return this.#membership.self.node
  }

  onFrame(receive: (from: string, frame: Buffer) => void): void {
    this.#receive = receive
  }

  nodes(): readonly string[] {
    return this.#membership.nodes()
  }

  send(node: string, frame: Buffer): boolean | Promise<boolean> {
    if (this.#closed || this.#membership.lifeOf(node) === undefined) return false
    const outgoing = this.#outgoing.get(node) ?? this.#begin(node)
    outgoing.frames.push(frame)
    return outgoing.sent
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
    const all = this.#outgoing
    this.#outgoing = new Map()
    for (const [node, { frames, done }] of all) void this.#publish(node, frames).then(done)
  }

  /** Whether somebody listened. */
  async #publish(node: string, frames: readonly Buffer[], last = false): Promise<boolean> {
    const { life } = this.#membership.self
    const number = (this.#numbers.get(node) ?? 0) + 1
    this.#numbers.set(node, number)
    const batch: Batch = { from: this.node, life, to: node, number, frames, last }
    try {
      const bytes = encodeBatch(this.#secret, batch)
      const listeners = Number(await this.#link.commands.spublish(channelOf(node), bytes))
      if (listeners === 0) this.#membership.gone(node)
      return listeners > 0
    } catch {
      return false
    }
  }

  #arrived(bytes: Buffer): void {
    const batch = readBatch(this.#secret, bytes)
    if (this.#closed || batch?.to !== this.node) {
      if (!batch) this.#log.warn('something on the bus was written by nobody of this cluster')
      return
    }
    if (!this.#isNew(batch)) return
    for (const frame of batch.frames) this.#receive(batch.from, frame)
    if (batch.last) this.#forget(batch.from)
  }

  #isNew({ from, life, number }: Batch): boolean {
    const heard = this.#heard.get(from)
    if (heard?.life === life && number <= heard.number) return false
    if (heard?.life !== life) this.#heard.set(from, { life, number })
    else heard.number = number
    // Somebody who is not known yet, or is known by an earlier life.
    if (this.#membership.lifeOf(from) !== life) this.#membership.say().catch(() => undefined)
    return true
  }

  #forget(node: string): void {
    this.#heard.delete(node)
    this.#membership.gone(node)
  }

  /** The others learn that this one is there. */
  #greet(): void {
    for (const node of this.nodes()) if (node !== this.node) void this.#publish(node, [])
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    const others = this.nodes().filter((node) => node !== this.node)
    await Promise.all(others.map((node) => this.#publish(node, [], true)))
    await this.#membership.leave()
    this.#link.close()
  }
}

function channelOf(node: string): string {
  return `tercet:b:{${node}}`
}
