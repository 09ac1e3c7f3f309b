// Decides where an envelope goes: an account, a host, a module's domain, a component, another server.
// It carries each stanza through the phases: admit, amend and record of the sender's side and of the
// recipient's and the commit; then it arrives (arrival.ts). Every refusal is answered here and nowhere else.
//
// Synchronous where nothing has to wait: a message between two sessions of this node takes no turn
// of the event loop.

import { Envelope } from '../xmpp/envelope.js'
import { StanzaError } from '../xmpp/errors.js'
import { errorReply, mayBeAnsweredByError } from '../xmpp/replies.js'
import type { Jid } from '../xmpp/jid.js'
import { isSignal } from '../xmpp/message-traits.js'
import { Stanza } from '../xmpp/stanza.js'
import { xml } from '../xmpp/element.js'
import { arrive, arriveLogged, copySent } from './arrival.js'
import { checkForm } from './stanza-form.js'
import type { Host } from './host.js'
import type { DomainOffer } from './module.js'
import { handled } from './pipeline.js'
import type { Server } from './server.js'
import type { Session } from './session.js'
import { prepare, receivedSide, sentSide } from './sides.js'
import { Transit } from './transit.js'

type Later = Promise<void> | void | undefined

export class Router {
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  /** From a client of this node. What it returns holds the client's lane. */
  submit(envelope: Envelope, session: Session, count: number): Later {
    const transit = new Transit(session.host, session, count)
    const later = this.#submit(envelope, session, transit)
    if (transit.apart || count === 0) return later
    // Only on the way may it turn out that it goes on apart.
    if (later)
      return later.then(() => {
        if (!transit.apart) session.lane.handled(transit)
      })
    session.lane.handled(transit)
    return undefined
  }

  #submit(envelope: Envelope, session: Session, transit: Transit): Later {
    try {
      checkForm(envelope.stanza)
      const prepared = prepare(session.host, sentSide(session.account), envelope, transit)
      const later =
        prepared instanceof Promise
          ? prepared.then((result) =>
              result === handled ? undefined : this.#onward(result, transit),
            )
          : prepared === handled
            ? undefined
            : this.#onward(prepared, transit)
      return later?.catch((error) => this.#failed(envelope, error))
    } catch (error) {
      return this.#failed(envelope, error)
    }
  }

  /**
   * From another server, a component, a module or the server itself: no `sent` phases. Where it is `here`,
   * presence is for sessions of this node alone.
   */
  receive(envelope: Envelope, { here = false } = {}): Later {
    const host = this.#server.responsible(envelope.to) ?? this.#server.responsible(envelope.from)
    if (!host) return this.#failed(envelope, new StanzaError('remote-server-not-found'))
    const transit = new Transit(host, undefined)
    transit.here = here
    try {
      const later = this.#destination(envelope, transit)
      return this.#server.pending(later?.catch((error) => this.#failed(envelope, error)))
    } catch (error) {
      return this.#failed(envelope, error)
    }
  }

  /** A stanza of the server's own making. */
  send(stanza: Stanza, { from, to }: { from: Jid; to: Jid }): Later {
    return this.receive(
      new Envelope({ stanza, from, to, origin: 'local', arrived: this.#server.clock.now() }),
    )
  }

  /** Answers the sender, where an error may be answered at all (RFC 6120 §8.3.1). */
  refuse(envelope: Envelope, error: StanzaError): void {
    if (!mayBeAnsweredByError(envelope.stanza)) return
    const reply = errorReply(envelope.stanza, error)
    this.answer(envelope, reply)
  }

  /** An answer goes back the way the stanza came: to the very session where that is one of ours. */
  answer(envelope: Envelope, stanza: Stanza): void {
    this.send(stanza, { from: envelope.to, to: envelope.from })
  }

  #failed(envelope: Envelope, error: unknown): undefined {
    if (error instanceof StanzaError) this.refuse(envelope, error)
    else {
      this.#server.failed('router', error)
      this.refuse(envelope, new StanzaError('internal-server-error'))
    }
    return undefined
  }

  /** The sender's side is decided: its `deliver`, then the destination. */
  #onward(envelope: Envelope, transit: Transit): Later {
    // RFC 6120 §10.3.2: presence to nobody is the sender's account's own affair.
    if (!envelope.addressed && envelope.stanza.kind === 'presence')
      return this.#broadcast(envelope, transit)
    return this.#destination(envelope, transit)
  }

  #broadcast(envelope: Envelope, transit: Transit): Later {
    const committed = transit.commit()
    const finish = (): Later => {
      const passage = transit.passage(envelope.from.bare)
      const taken = transit.host.pipeline.deliver('presence:sent', envelope, passage)
      return taken instanceof Promise ? taken.then(() => undefined) : undefined
    }
    return committed ? committed.then(finish) : finish()
  }

  #destination(envelope: Envelope, transit: Transit): Later {
    const { domain } = envelope.to
    const host = this.#server.hosts.get(domain)
    if (host) return this.#toHost(envelope, host, transit)
    const own = this.#server.domains.get(domain)
    if (own) return this.#toDomain(envelope, own.offer, transit)
    // Components and other servers: nobody is connected until those streams are built.
    throw new StanzaError('remote-server-not-found')
  }

  #toDomain(envelope: Envelope, offer: DomainOffer, transit: Transit): Later {
    // What the module leaves behind is on disk when it is done, and only then is it counted.
    transit.countLater = true
    transit.seal(envelope)
    const committed = transit.commit()
    const finish = (): Later => {
      const { logged } = transit
      if (logged && !logged.duplicate) {
        this.#server.neighbours.tell(logged)
        this.#server.showing.claim(logged.id)
      }
      const later = offer.receive(envelope)
      if (later) return later.then(() => copySent(envelope, transit))
      return copySent(envelope, transit)
    }
    return committed ? committed.then(finish) : finish()
  }

  #toHost(envelope: Envelope, host: Host, transit: Transit): Later {
    if (envelope.to.isDomain || envelope.to.local === '')
      return this.#received(envelope, host, transit)
    const number = host.numberOf(envelope.to)
    if (number instanceof Promise)
      return number.then((found) => this.#toAccount(envelope, host, { transit, number: found }))
    return this.#toAccount(envelope, host, { transit, number })
  }

  #toAccount(
    envelope: Envelope,
    host: Host,
    { transit, number }: { transit: Transit; number: number },
  ): Later {
    transit.recipient = number
    return number !== 0 ? this.#received(envelope, host, transit) : this.#nobody(envelope, transit)
  }

  /** RFC 6121 §8.5.1. The same answer as for somebody who is there but keeps nothing (SEC-22). */
  #nobody(envelope: Envelope, transit: Transit): Later {
    const { stanza } = envelope
    if (stanza.kind !== 'presence' && !isSignal(stanza))
      throw new StanzaError('service-unavailable')
    if (stanza.kind === 'presence' && stanza.type === 'probe') {
      const answer = Stanza.of(xml('presence', { type: 'unsubscribed' }))
      this.send(answer, { from: envelope.to.bare, to: envelope.from.bare })
    }
    return transit.commit()
  }

  #received(envelope: Envelope, host: Host, transit: Transit): Later {
    const prepared = prepare(host, receivedSide(envelope.to.bare), envelope, transit)
    if (prepared instanceof Promise) {
      return prepared.then((result) =>
        result === handled ? this.#dropped(transit) : this.#record(result, host, transit),
      )
    }
    return prepared === handled ? this.#dropped(transit) : this.#record(prepared, host, transit)
  }

  #dropped(transit: Transit): Later {
    return transit.commit()
  }

  /** The iq table answers in `record`: what it changes and the answer belong to one transaction. */
  #record(envelope: Envelope, host: Host, transit: Transit): Later {
    if (envelope.stanza.kind !== 'iq' || envelope.to.resource !== '')
      return this.#commit(envelope, host, transit)
    if (envelope.stanza.type !== 'get' && envelope.stanza.type !== 'set') {
      host.iq.answered(envelope)
      return transit.commit()
    }
    const later = host.iq.answer(envelope, transit)
    if (later instanceof Promise && transit.session && host.iq.reads(envelope))
      return transit.session.lane.reading(
        later.catch((error) => this.#failed(envelope, error)),
        transit,
      )
    return later
  }

  #commit(envelope: Envelope, host: Host, transit: Transit): Later {
    if (envelope.stanza.kind !== 'message') {
      const committed = transit.commit()
      if (committed) return committed.then(() => arrive(envelope, host, transit))
      return arrive(envelope, host, transit)
    }
    transit.seal(envelope)
    const committed = transit.commit()
    if (!committed) return arrive(envelope, host, transit)
    const done = committed.then(
      () => this.#logged(envelope, host, transit),
      (error) => this.#unstored(error, envelope, { host, transit }),
    )
    // The lane goes on: commits end in the order in which they began, and so do deliveries.
    return transit.session ? transit.session.lane.beside(done, transit) : done
  }

  /** On disk: nobody waits any more who could be told by a rejection. */
  #logged(envelope: Envelope, host: Host, transit: Transit): Later {
    const { logged, session } = transit
    // What was there already goes nowhere a second time.
    if (logged?.duplicate) return undefined
    if (logged) this.#server.neighbours.tell(logged)
    const turn = logged && this.#server.showing.turnOf(logged)
    const show = (): Later => this.#delivered(envelope, () => arriveLogged(envelope, host, transit))
    return session ? session.lane.inTurn(turn, show) : turn ? turn.then(show) : show()
  }

  #delivered(envelope: Envelope, deliver: () => Later): Later {
    try {
      return deliver()?.catch((error) => this.#failed(envelope, error))
    } catch (error) {
      return this.#failed(envelope, error)
    }
  }

  /** Our own word that something failed arrives also where nothing can be stored. */
  #unstored(
    error: unknown,
    envelope: Envelope,
    { host, transit }: { host: Host; transit: Transit },
  ): Later {
    const isOurs = envelope.stanza.type === 'error' && envelope.origin === 'local'
    if (!isOurs) return this.#failed(envelope, error)
    return this.#delivered(envelope, () => arrive(envelope, host, transit))
  }
}
