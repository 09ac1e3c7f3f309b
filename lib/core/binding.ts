// What binding asks of the other nodes: that a session with the very same address ends there, and how many
// others the account has. The database says which nodes that concerns (storage/whereabouts.ts); without one
// for several nodes the directory knows.

import { StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import type { Server } from './server.js'

const TOPIC = 'bind'

export interface Begun {
  /** How many sessions the account has on other nodes */
  readonly elsewhere: number
  /** The newest message of all accounts */
  readonly newest: number
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

  constructor(server: Server) {
    this.#server = server
    server.talk.on(TOPIC, (jid) => this.#asked(Jid.parse(String(jid))))
  }

  /** From here on messages for the account are told to this node. */
  async begin(jid: Jid, number: number): Promise<Begun> {
    const { nodes, newest } = await this.#where(jid, number)
    const counts = await Promise.all(nodes.map((node) => this.#ask(node, jid)))
    return { elsewhere: counts.reduce((sum, count) => sum + count, 0), newest }
  }

  /** A session of the account has ended here, or was not bound after all. */
  end(number: number): void {
    this.#server.whereabouts?.gone(number)
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

  /** RFC 6120 §7.7.2.2: the newcomer wins; what the old stream had sent is finished first. */
  async #asked(jid: Jid): Promise<number> {
    const sessions = this.#server.hosts.get(jid.domain)?.sessions
    if (!sessions) return 0
    for (let old = sessions.find(jid); old; old = sessions.find(jid)) {
      old.close(new StreamError('conflict', 'the resource was bound again'))
      if (!old.closed) await old.drained()
    }
    return sessions.of(jid.bare).length
  }
}
