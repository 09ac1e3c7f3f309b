// Where everything for the rooms of a host arrives, on whatever node: what is for the service itself is answered
// here, the rest is taken to the room's owner and its answer back.

import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { resultReply } from '../../lib/xmpp/replies.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Later } from '../../lib/core/later.js'
import type { OwnedRooms } from './owned-rooms.js'
import type { Venue } from './venue.js'
import { Caller } from './visits.js'

/** A request to the service's own address */
export interface ServiceIq {
  readonly get?: string
  readonly set?: string
  readonly xmlns: string
  answer(request: ServiceRequest): Later<Element | undefined | void>
}

export interface ServiceRequest {
  readonly venue: Venue
  readonly element: Element
  readonly envelope: Envelope
}

export class Reception {
  readonly #venue: Venue
  readonly #rooms: OwnedRooms
  readonly #iq = new Map<string, ServiceIq>()

  constructor(venue: Venue, rooms: OwnedRooms, iq: readonly ServiceIq[]) {
    this.#venue = venue
    this.#rooms = rooms
    for (const offer of iq) {
      if (offer.get) this.#iq.set(`get {${offer.xmlns}}${offer.get}`, offer)
      if (offer.set) this.#iq.set(`set {${offer.xmlns}}${offer.set}`, offer)
    }
  }

  /** Resolves when what it leaves behind is on disk; throws StanzaError to refuse. */
  receive(envelope: Envelope): Promise<void> | void {
    if (envelope.to.local === '') return this.#toService(envelope)
    return this.#toRoom(envelope)
  }

  async #toRoom(envelope: Envelope): Promise<void> {
    const { host, features } = this.#venue
    if (envelope.stanza.kind === 'iq')
      for (const { asked } of features) await asked?.(this.#venue, envelope)
    const caller = new Caller(
      envelope,
      envelope.origin !== 'server' && host.server.hosts.has(envelope.from.domain),
    )
    const reply = await this.#rooms.call(caller)
    if (reply !== null) host.router.answer(envelope, Stanza.parse(reply))
  }

  async #toService(envelope: Envelope): Promise<void> {
    const { stanza } = envelope
    if (stanza.kind === 'presence' || stanza.type === 'result' || stanza.type === 'error') return
    if (stanza.kind === 'message') throw new StanzaError('service-unavailable')
    const child = stanza.children[0]
    if (!child || stanza.children.length !== 1)
      throw new StanzaError('bad-request', 'a request has one child')
    const offer = this.#iq.get(`${stanza.type} {${child.xmlns}}${child.name}`)
    if (!offer) throw new StanzaError('service-unavailable')
    const element = stanza.child(child.name, child.xmlns)!
    const answer = await offer.answer({ venue: this.#venue, element, envelope })
    this.#venue.host.router.answer(envelope, resultReply(stanza, answer ?? undefined))
  }
}
