// A session of this node goes on on another one (XEP-0198 §5), which asks for it. Its stream ends as for a
// resumption here, and what its client sent is decided and counted. Its row then has all that makes it
// again, what is in no log included; when that is on disk it leaves this node, and nobody hears of an end.
// From then on this node writes nothing of it, so whoever was told so may make it again.

import { Refused } from '../../lib/cluster/talk.js'
import type { Host } from '../../lib/core/host.js'
import { numberAt } from '../../lib/storage/logged-message.js'
import { isTrouble } from '../../lib/storage/trouble.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { beyond } from './counts.js'
import type { ManagedSession } from './managed-session.js'
import { giveBack } from './overflow.js'
import type { Registry } from './registry.js'
import type { Restoring } from './restoring.js'
import type { StoredSession } from './store.js'
import type { Shown } from './written-down.js'

/** How long a message may take from the log to this node, in milliseconds */
const MARGIN = 10_000
const PAGE = 200
/** How often the row is written again for what came while it was written */
const MOST_TIMES = 3
/** Characters of a row that is told to another node */
const MOST_TOLD = 32 * 1024
/** Milliseconds in which another node makes again what it asked for */
const ARRIVAL = 60_000

export interface Asked {
  readonly id: string
  readonly h: number
  /** Its number */
  readonly account: number
}

/** What becomes of it, in the words of the answer that the client gets */
export type Released =
  /**
   * Whatever there is of it is on disk. Only with this version of its row: with another one it may have been
   * made again since. A life that is over is free without. Where it is not large it is told along, and need
   * not be read.
   */
  | { readonly is: 'free'; readonly version?: number; readonly row?: StoredSession }
  | { readonly is: 'unknown' }
  /** The client says less than it said before. */
  | { readonly is: 'forgotten'; readonly handled: number }
  /** The client says more than it was sent. */
  | { readonly is: 'too high'; readonly sent: number }

export function topicOf(domain: string): string {
  return `sm release ${domain}`
}

export class Releasing {
  readonly #host: Host
  readonly #registry: Registry

  readonly #restoring: Restoring

  constructor(host: Host, registry: Registry, restoring: Restoring) {
    this.#host = host
    this.#registry = registry
    this.#restoring = restoring
  }

  /** Gives back what ends it. */
  listen(): () => void {
    const { talk } = this.#host.server
    return talk.on(topicOf(this.#host.domain), (content) => this.#asked(content as Asked))
  }

  async #asked(asked: Asked): Promise<Released> {
    try {
      return await this.#registry.turns.take(asked.id, () => this.#release(asked))
    } catch (error) {
      if (error instanceof StanzaError || isTrouble(error)) throw new Refused(String(error))
      throw error
    }
  }

  async #release({ id, h, account }: Asked): Promise<Released> {
    const managed = this.#registry.find(id)
    if (!managed) return this.#free(id)
    const { session, terms, acknowledged } = managed
    if (session.number !== account || terms.timeout === 0) return { is: 'unknown' }
    const ahead = beyond(h, acknowledged.count)
    if (ahead < 0) return { is: 'forgotten', handled: managed.handled.count }
    if (ahead > managed.outbox.written) return { is: 'too high', sent: acknowledged.sentCount }
    try {
      if (await managed.stopped()) await this.#letGo(managed, h)
      return await this.#free(id, managed.rows.handed)
    } finally {
      managed.moving = false
      managed.rows.stays()
    }
  }

  /** What was on its way to the disk is there, and nothing of it rides along later. */
  async #free(id: string, row?: StoredSession): Promise<Released> {
    const { journal } = this.#host
    if (this.#registry.find(id)) throw new StanzaError('resource-constraint', 'it is just ending')
    journal.hurry()
    await journal.settled()
    if (!row) return { is: 'free', version: await this.#restoring.versionHere(id) }
    const { version, state, owed, requests } = row
    const told = state.length + owed.length + requests.length <= MOST_TOLD
    return { is: 'free', version, ...(told && { row }) }
  }

  async #letGo(managed: ManagedSession, h: number): Promise<void> {
    const { session, outbox, rows } = managed
    managed.acknowledged.advance(h)
    managed.countRejection()
    // What it is to take along is in its queue then.
    await this.#host.events.emit('session:moving', { session })
    this.#host.journal.hurry()
    await this.#whole(managed)
    // It was ended meanwhile.
    if (session.closed) return
    const rest = [...outbox].slice(rows.packed)
    this.#host.sessions.remove(session, true)
    giveBack(session, rest)
    const { terms } = managed
    const { clock, server } = this.#host
    clock.after(ARRIVAL, () => void server.pending(this.#takeBack(terms.id, session.account)))
    // Whoever makes it again must not find itself there.
    await server.directory.remove(session.account.text, session.id)
  }

  /** Where it did not arrive it waits here again, and ends here as it would have. */
  async #takeBack(id: string, jid: Jid): Promise<void> {
    try {
      const account = await this.#host.accounts?.lookup(jid.local)
      if (account && !this.#registry.closed)
        await this.#registry.turns.take(id, () => this.#restoring.back(id, account))
    } catch (error) {
      this.#host.failed('stream management', error)
    }
  }

  /** Writes all of it down. */
  async #whole(managed: ManagedSession): Promise<void> {
    const { outbox, rows } = managed
    for (let time = 0; time < MOST_TIMES && (time === 0 || outbox.length > rows.packed); time++)
      await rows.handOver(await this.#shown(managed))
  }

  /** A message of another node may still be on its way while a newer one was shown to the session. */
  async #shown({ session, acknowledged, terms }: ManagedSession): Promise<Shown> {
    const { top } = acknowledged
    const { clock, server } = this.#host
    // What was there before it came here it has, or was read from the log for it.
    const begin = Math.max(terms.position, session.position.read, numberAt(clock.now() - MARGIN))
    if (begin >= top) return { after: top, had: [] }
    const after = begin
    const recent = await this.#recent(session.number, { after, before: top + 1 })
    const missing = recent.find((id) => !server.showing.has(id))
    if (missing === undefined) return { after: top, had: [] }
    const had = recent.filter((id) => id > missing && server.showing.has(id))
    return { after: missing - 1, had }
  }

  async #recent(owner: number, range: { after: number; before: number }): Promise<number[]> {
    const found: number[] = []
    for (let { after } = range; ; ) {
      const query = { ...range, owner, after, flags: 0, limit: PAGE }
      const { messages, complete } = await this.#host.messages.page(query)
      for (const { id } of messages) found.push(id)
      if (complete || messages.length === 0) return found
      after = found.at(-1)!
    }
  }
}
