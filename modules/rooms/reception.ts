// Where everything for the rooms of a host arrives, on whatever node: what is for the service itself is answered
// here, the rest is taken to the room's owner and its answer back.

import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { resultReply } from '../../lib/xmpp/replies.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Later } from '../../lib/core/later.js'
import type { Homecoming } from './nodes/homecoming.js'
import type { OwnedRooms } from './nodes/owned-rooms.js'
import { NS_MUC } from './presences.js'
import { withoutRoomsWord } from './rooms-word.js'
import type { Venue } from './venue.js'
import { Caller } from './nodes/visits.js'

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

interface ReceptionParts {
  readonly rooms: OwnedRooms
  readonly homecoming: Homecoming
  readonly iq: readonly ServiceIq[]
}

export class Reception {
  readonly #venue: Venue
  readonly #homecoming: Homecoming
  readonly #rooms: OwnedRooms
  readonly #iq = new Map<string, ServiceIq>()

  constructor(venue: Venue, { rooms, homecoming, iq }: ReceptionParts) {
    this.#venue = venue
    this.#rooms = rooms
    this.#homecoming = homecoming
    for (const offer of iq) {
      if (offer.get) this.#iq.set(`get {${offer.xmlns}}${offer.get}`, offer)
      if (offer.set) this.#iq.set(`set {${offer.xmlns}}${offer.set}`, offer)
    }
  }

  /** Resolves when what it leaves behind is on disk; throws StanzaError to refuse. */
  receive(envelope: Envelope): Promise<void> | void {
    if (envelope.to.local === '') return this.#toService(envelope)
    const done = this.#toRoom(envelope)
    if (!this.#venue.iqOffer(envelope.stanza)?.apart) return done
    // What its sender says next does not wait for it.
    void this.#venue.host.server.pending(done.catch((error) => this.#refuse(envelope, error)))
  }

  #refuse(envelope: Envelope, error: unknown): void {
    const { host } = this.#venue
    const known = error instanceof StanzaError
    if (!known) host.failed('rooms', error)
    host.router.refuse(envelope, known ? error : new StanzaError('internal-server-error'))
  }

  async #toRoom(envelope: Envelope): Promise<void> {
    const { host, features } = this.#venue
    if (envelope.stanza.kind === 'iq')
      for (const { asked } of features) await asked?.(this.#venue, envelope)
    const isOurs = envelope.origin !== 'server' && host.server.hosts.has(envelope.from.domain)
    const reply = await (isOurs ? this.#fromHere(envelope) : this.#call(envelope, false, false))
    if (reply !== null) host.router.answer(envelope, Stanza.parse(reply))
  }

  #call(envelope: Envelope, isOurs: boolean, inside: boolean): Promise<string | null> {
    return this.#rooms.call(new Caller(envelope, { isOurs, inside }))
  }

  /** What one of our sessions says; what it is in the room is known here, too. */
  async #fromHere(envelope: Envelope): Promise<string | null> {
    const { guests } = this.#venue
    const { stanza, from } = envelope
    const room = envelope.to.bare.text
    const guest = guests.find(room, from.text)
    // Made again, it is not known yet where it is now.
    if (guest?.back) await guest.back.promise
    // That it goes is said for a session that has ended.
    const inside = guest !== undefined && (stanza.type === 'unavailable' || !guest.session.closed)
    if (stanza.kind !== 'presence') {
      const reply = await this.#call(envelope, true, inside)
      await guests.relief(room)
      return reply
    }
    const came = guests.coming(room, from.text)
    try {
      const reply = await this.#call(envelope, true, inside)
      // The room may have many to tell before its word on this one has its turn.
      await guests.turn(room)
      this.#noted(envelope, reply)
      return reply
    } catch (error) {
      // Whether the room knows that it is gone, nobody can tell.
      if (stanza.type === 'unavailable') this.#homecoming.countSoon(room)
      throw error
    } finally {
      came()
    }
  }

  /** What it sent is told to whoever owns the room after this owner. */
  #noted({ stanza, from, to }: Envelope, reply: string | null): void {
    if (stanza.type !== '' || reply !== null) return
    const guest = this.#venue.guests.find(to.bare.text, from.text)
    if (guest) guest.presence = withoutRoomsWord(stanza, to.bare)
    else if (stanza.has('x', NS_MUC)) this.#homecoming.countSoon(to.bare.text)
  }

  async #toService(envelope: Envelope): Promise<void> {
    const { stanza } = envelope
    if (stanza.kind === 'presence') return this.#presence(envelope)
    if (stanza.type === 'result' || stanza.type === 'error') return
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

  async #presence(envelope: Envelope): Promise<void> {
    for (const { servicePresence } of this.#venue.features)
      await servicePresence?.(this.#venue, envelope)
  }
}
