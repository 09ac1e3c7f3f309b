// When the bus cannot be trusted this node follows the log: once when something may have been missed, and
// again and again while Redis is away, or while a node writes that nobody hears (it is cut off from Redis
// alone, or has just died). PostgreSQL tells who writes: each transaction leaves the life of its node there.

import type { Member } from '../cluster/cluster.js'
import type { Server } from './server.js'

/** Milliseconds */
const LOOK = 1000
/** Longer than the lease of a node */
const UNHEARD = 15_000
/** Who wrote something in so long a time writes. */
const WRITING = 10_000

/** LIM-ended-lives */
const MOST_ENDED = 1000

export class Following {
  readonly #server: Server
  /** Of nodes that said that they end */
  readonly #ended = new Set<string>()
  /** When a life was last taken for gone */
  readonly #mourned = new Map<string, number>()
  #unheard = false
  /** Until when everything is known, where somebody is unheard; 0 where nobody is */
  #until = 0

  constructor(server: Server) {
    this.#server = server
    const { bus, members, schedule, fencing } = server
    fencing.onFenced((life) => this.#fenced(life))
    bus.onMissed((since) => this.#repair(since))
    members.onGone((member, said) => this.#gone(member, said))
    if (!server.whereabouts) return
    schedule.add('cluster', { name: 'what nobody tells', every: LOOK, run: () => this.#look() })
  }

  /** What this life wrote last may not have been told to anybody. */
  #gone({ node, life }: Member, said: boolean): void {
    if (said) {
      this.#end(life)
      // What it was asked it answers no more.
      this.#server.talk.giveUp(node)
    } else {
      const now = this.#server.clock.now()
      this.#server.bus.missed(Math.max(now - UNHEARD, this.#mourned.get(life) ?? 0))
      // It may be taken for gone again and again, until its lease ends.
      this.#mourned.set(life, now)
      if (this.#mourned.size > MOST_ENDED) this.#mourned.delete(this.#mourned.keys().next().value!)
    }
  }

  /** It may have written something just before: nothing that comes now must overtake that. */
  async #fenced(life: string): Promise<void> {
    const { bus, clock } = this.#server
    this.#end(life)
    const since = clock.now() - UNHEARD
    bus.missed(since)
    await this.#repair(since)
  }

  #end(life: string): void {
    this.#ended.add(life)
    if (this.#ended.size > MOST_ENDED) this.#ended.delete(this.#ended.values().next().value!)
  }

  /** What is remembered of others may be wrong as well, and this node may have been taken for dead. */
  async #repair(since: number): Promise<void> {
    const { directory, changes, showing, fencing, hosts } = this.#server
    if (await fencing.check()) return
    directory.doubt()
    changes.forgetAll()
    for (const host of hosts.values()) void host.events.emit('frames:missed', { since })
    return showing.repair(since)
  }

  async #look(): Promise<void> {
    const { clock, members } = this.#server
    const now = clock.now()
    this.#unheard = members.cutOff || (await this.#isUnheard())
    if (!this.#unheard) {
      this.#until = 0
      return
    }
    const since = this.#until || now - UNHEARD
    await this.#repair(since)
    this.#until = now
  }

  /** Whether somebody writes who is no member. */
  async #isUnheard(): Promise<boolean> {
    const { database, members, clock } = this.#server
    const known = [...members.all().map(({ life }) => life), ...this.#ended]
    const rows = await database
      .knex('commits')
      .where('alive', 1)
      .where('at', '>', clock.now() - WRITING)
      .whereNotIn('journal', known)
      .limit(1)
      .select('journal')
    return rows.length > 0
  }
}
