// What modules remember of the database, on whatever node: who changed something says so when it is on
// disk, and the other nodes forget it. What may have been missed is forgotten whole. A read that was under
// way when the word came must not be kept: that is for whoever remembers to see to.

import type { Members } from '../cluster/cluster.js'
import type { Talk } from '../cluster/talk.js'
import type { Host } from './host.js'

/** Offered by a module for each thing that it remembers. */
export interface Remembered {
  /** Changed elsewhere: it is to be read again, and what is being read of it is not to be kept. */
  forget(key: string): void
  /** Whatever there is of it may have changed. */
  forgetAll(): void
}

/** Milliseconds for which something is believed while nobody else can be heard */
const UNHEARD = 1000

/** Milliseconds for which a node is waited for */
const PATIENCE = 2000

type Notice = readonly [domain: string, what: string, key: string]

interface Surroundings {
  readonly hosts: ReadonlyMap<string, Host>
  readonly members: Members
  readonly talk: Talk
}

const TOPIC = 'changed'
const ALL = 'all may have changed'

export class SharedChanges {
  readonly #server: Surroundings
  /** Lives that know that this node is there: each tells it what changes. */
  #met = new Set<string>()
  #wasCutOff = false

  constructor(server: Surroundings) {
    this.#server = server
    server.talk.on(TOPIC, (content) => this.#heard(content as Notice))
    server.talk.on(ALL, () => this.forgetAll())
    // It may have ended between a commit and its word.
    server.members.onGone((_member, said) => {
      if (!said) this.forgetAll()
    })
  }

  /** How old something remembered may be: milliseconds; below zero for nothing at all. */
  get believed(): number {
    if (this.#server.members.cutOff) {
      this.#wasCutOff = true
      return UNHEARD
    }
    if (!this.#wasCutOff) return Number.POSITIVE_INFINITY
    this.forgetAll()
    // Whoever asks may have it in hand already.
    return -1
  }

  /** Something that modules of other nodes may remember has changed; it is on disk. */
  tell(host: Host, what: string, key: string | number): void {
    this.greet()
    const notice: Notice = [host.domain, what, String(key)]
    this.#server.talk.tell(TOPIC, notice)
  }

  /** Resolves when the others that can be heard have forgotten it, or after a moment. */
  async confirm(host: Host, what: string, key: string): Promise<void> {
    this.greet()
    const { members, talk } = this.#server
    const notice: Notice = [host.domain, what, key]
    const others = members.all().filter(({ node }) => node !== members.self.node)
    await Promise.allSettled(others.map(({ node }) => talk.ask(node, TOPIC, notice, PATIENCE)))
  }

  /** Who came lately may remember what was changed before this node knew of it. */
  greet(): void {
    const { members, talk } = this.#server
    const others = members.all().filter(({ node }) => node !== members.self.node)
    for (const { node, life } of others) if (!this.#met.has(life)) talk.tell(ALL, null, node)
    this.#met = new Set(others.map(({ life }) => life))
  }

  /** What the others said may not have arrived. */
  forgetAll(): void {
    this.#wasCutOff = false
    for (const host of this.#server.hosts.values())
      for (const { offer } of host.offered('remembers'))
        for (const remembered of Object.values(offer)) remembered.forgetAll()
  }

  #heard([domain, what, key]: Notice): void {
    const host = this.#server.hosts.get(domain)
    for (const { offer } of host?.offered('remembers') ?? [])
      if (Object.hasOwn(offer, what)) offer[what]!.forget(key)
  }
}
