// How much an account is owed that no archive keeps: bounded (XEP-0160 §3). Whether an archive keeps a
// message is known when both sides have recorded it, so a full account refuses at once only what no
// archive could keep, and the rest with its commit.

import type { Host } from '../../lib/core/host.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { INCOMING, KEPT } from '../../lib/storage/logged-message.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { keptForGood } from '../../lib/xmpp/message-traits.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { type Later, whenKnown } from '../../lib/core/later.js'

/** LIM-owed-known: accounts whose number of owed messages is in memory */
const MOST_KNOWN = 10_000
/** A full account is not counted again sooner. */
const PATIENCE = 1000

interface Count {
  owed: number
  counted: number
}

export class Owed {
  readonly #host: Host
  /** LIM-offline */
  readonly #most: number
  readonly #known = new Map<number, Count>()

  constructor(host: Host, most: number) {
    this.#host = host
    this.#most = most
  }

  /** For somebody who is away: until somebody takes it. */
  keep(stanza: Stanza, passage: Passage): Later<void> {
    return whenKnown(this.#host.numberOf(passage.account), (number) =>
      whenKnown(this.#count(number), (count) => {
        if (count.owed >= this.#most) this.#refuseUnlessKept(stanza, passage)
        passage.keep(0)
        passage.after(() => {
          if (passage.kept && !(passage.kept.flags & KEPT)) count.owed++
        })
      }),
    )
  }

  /** Somebody came for it. */
  forget(number: number): void {
    this.#known.delete(number)
  }

  get size(): number {
    return this.#known.size
  }

  #refuseUnlessKept(stanza: Stanza, passage: Passage): void {
    const full = new StanzaError('service-unavailable')
    if (!this.#host.modules.has('archive') || !keptForGood(stanza)) throw full
    const { entry } = passage
    entry.write(async () => {
      if (!((entry.message?.recipient?.flags ?? 0) & KEPT)) throw full
    })
  }

  #count(number: number): Later<Count> {
    const known = this.#known.get(number)
    if (known && (known.owed < this.#most || this.#justCounted(known))) return known
    return this.#ask(number)
  }

  #justCounted({ counted }: Count): boolean {
    return this.#host.clock.now() < counted + PATIENCE
  }

  async #ask(number: number): Promise<Count> {
    const { messages, server, clock } = this.#host
    const after = await server.taken.of(number)
    const query = { owner: number, after, flags: INCOMING, absent: KEPT, limit: this.#most }
    const count = { owed: (await messages.page(query)).messages.length, counted: clock.now() }
    this.#known.delete(number)
    this.#known.set(number, count)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    return count
  }
}
