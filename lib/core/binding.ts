// What binding asks of the other nodes: that a session with the very same address ends there, and how many
// others the account has. The database says which nodes that concerns (storage/whereabouts.ts); without one
// for several nodes the directory knows.

import { StanzaError, StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import type { Server } from './server.js'

const TOPIC = 'bind'

export interface Begun {
  /** How many sessions the account has on other nodes */
  readonly elsewhere: number
  /** The newest message of all accounts */
  readonly newest: number
  /** Before the session is in the list, in the same turn: whether its address is still its own. */
  check(): void
}

interface Coming {
  superseded: boolean
}

/** What a session is made from */
export interface Bound {
  readonly jid: Jid
  /** Of its account */
  readonly number: number
  /** Where several nodes write the log */
  readonly newest: number
}

export class Binding {
  readonly #server: Server
  /** What is bound here just now, by full address */
  readonly #coming = new Map<string, Set<Coming>>()

  constructor(server: Server) {
    this.#server = server
    server.talk.on(TOPIC, (jid) => this.#asked(Jid.parse(String(jid))))
  }

  /** Messages for the account are told to this node before `make` adds the session. */
  async begin<T>(jid: Jid, number: number, make: (begun: Begun) => Promise<T>): Promise<T> {
    const one: Coming = { superseded: false }
    const all = this.#coming.get(jid.text) ?? new Set()
    this.#coming.set(jid.text, all.add(one))
    try {
      return await make(await this.#begun(jid, number, one))
    } catch (error) {
      this.end(number)
      throw error
    } finally {
      if (all.delete(one) && all.size === 0) this.#coming.delete(jid.text)
    }
  }

  async #begun(jid: Jid, number: number, one: Coming): Promise<Begun> {
    const { nodes, newest } = await this.#where(jid, number)
    const counts = await Promise.all(nodes.map((node) => this.#ask(node, jid)))
    const check = (): void => {
      if (one.superseded) throw new StanzaError('conflict', 'the resource was bound again')
    }
    return { elsewhere: counts.reduce((sum, count) => sum + count, 0), newest, check }
  }

  /**
   * A session of the account has ended here, or was not bound after all. Of a life that is over nobody heard
   * that it ended: its rows stay for whoever mourns it.
   */
  end(number: number): void {
    if (!this.#server.fencing.over) this.#server.whereabouts?.gone(number)
  }

  async #where(jid: Jid, number: number): Promise<{ nodes: readonly string[]; newest: number }> {
    const { whereabouts, members, directory, node: self } = this.#server
    if (!whereabouts) return { nodes: await this.#known(jid), newest: 0 }
    const { lives, newest } = await whereabouts.here({ account: number, address: jid.bare.text })
    if (lives.length === 0) directory.alone(jid.bare.text)
    else directory.doubt(jid.bare.text)
    const others = members.all().filter(({ life }) => lives.includes(life))
    return { nodes: others.map(({ node }) => node).filter((node) => node !== self), newest }
  }

  async #known(jid: Jid): Promise<readonly string[]> {
    const { directory, node: self, hosts } = this.#server
    const account = jid.bare.text
    const places = await directory.lookup(account)
    // Those of this node's own that it does not know are of an earlier life of it.
    for (const { id, node } of places)
      if (node === self && !hosts.get(jid.domain)?.sessions.byId(id))
        await directory.remove(account, id)
    return [...new Set(places.map(({ node }) => node))].filter((node) => node !== self)
  }

  /** Who does not answer has no sessions that matter any more, or will find out. */
  async #ask(node: string, jid: Jid): Promise<number> {
    try {
      return Number(await this.#server.talk.ask(node, TOPIC, jid.text))
    } catch {
      return 0
    }
  }

  /**
   * RFC 6120 §7.7.2.2: the newcomer wins; what the old stream had sent is finished first. One that is being
   * bound here, and may have asked before the newcomer was there, does not come to be.
   */
  async #asked(jid: Jid): Promise<number> {
    for (const one of this.#coming.get(jid.text) ?? []) one.superseded = true
    const sessions = this.#server.hosts.get(jid.domain)?.sessions
    if (!sessions) return 0
    for (let old = sessions.find(jid); old; old = sessions.find(jid)) {
      old.close(new StreamError('conflict', 'the resource was bound again'))
      if (!old.closed) await old.drained()
    }
    return sessions.of(jid.bare).length
  }
}
