// Derives the status of a message. Somebody of this server has what the account's cursor has passed and
// what is in the account's index; whether it was displayed is the read state of the recipient.

import type { Host } from '../../lib/core/host.js'
import { OUTGOING, timeOf } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { ReadState } from '../read-state/read-state.js'
import type { SignsStore } from './signs-store.js'

export interface MessageStatus {
  readonly state: 'stored' | 'delivered' | 'displayed'
  readonly to: Jid
  /** Milliseconds since 1970, each where it is known */
  readonly stored: number
  readonly delivered?: number
  readonly displayed?: number
}

interface Sources {
  store: SignsStore
  readState: ReadState
}

export class Statuses {
  readonly #host: Host
  readonly #sources: Sources

  constructor(host: Host, sources: Sources) {
    this.#host = host
    this.#sources = sources
  }

  async of(account: number, id: number): Promise<MessageStatus | undefined> {
    const message = await this.#message(account, id)
    if (!message || !(message.flags & OUTGOING)) return undefined
    const to = Jid.parse(message.to)
    const host = this.#host.server.hosts.get(to.domain)
    const known = { to, stored: timeOf(id) }
    if (!host) return { ...known, ...(await this.#elsewhere(account, to, id)) }
    return { ...known, state: await this.#here(host, message, to) }
  }

  async #message(owner: number, id: number): Promise<Logged | undefined> {
    return (await this.#host.messages.page({ owner, ids: [id], flags: 0, limit: 1 })).messages[0]
  }

  async #here(host: Host, { id, from }: Logged, to: Jid): Promise<MessageStatus['state']> {
    const recipient = await host.numberOf(to)
    const theirs = recipient > 0 ? await this.#message(recipient, id) : undefined
    // It was refused, or the recipient keeps nothing of it: more is not known.
    if (!theirs) return 'stored'
    const displayed = await this.#sources.readState.displayed(recipient, Jid.parse(from))
    if (displayed >= id) return 'displayed'
    return (await host.server.taken.of(recipient)) >= id ? 'delivered' : 'stored'
  }

  /** XEP-0333 §1: a marker means all messages up to that point. */
  async #elsewhere(
    account: number,
    to: Jid,
    id: number,
  ): Promise<Omit<MessageStatus, 'to' | 'stored'>> {
    const shown = await this.#sources.store.shownTo(account, to)
    const received = await this.#sources.store.receipt(id)
    const delivered = received === undefined ? {} : { delivered: received }
    if (shown && shown.id >= id) {
      // When an earlier one was displayed nobody said.
      const displayed = shown.id === id ? { displayed: shown.at } : {}
      return { state: 'displayed', ...delivered, ...displayed }
    }
    return { state: received === undefined ? 'stored' : 'delivered', ...delivered }
  }
}
