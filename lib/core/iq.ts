// Requests to a host and to accounts: a table of who answers what, and questions of the server's own.
// Whether the asker may ask is declared in the offer and checked here, before the answer runs. An
// answer to us counts only from the address that was asked and with the id it was asked with (SEC-55).

import type { Element } from '../xmpp/element.js'
import type { Envelope } from '../xmpp/envelope.js'
import { StanzaError } from '../xmpp/errors.js'
import { xml } from '../xmpp/element.js'
import { errorOf, resultReply } from '../xmpp/replies.js'
import type { Jid } from '../xmpp/jid.js'
import { Stanza } from '../xmpp/stanza.js'
import type { Timer } from '../ops/clock.js'
import { mayAsk } from './access.js'
import type { Host } from './host.js'
import type { IqOffer, IqRequest } from './module.js'
import type { Transit } from './transit.js'

type Later = Promise<void> | undefined

interface Question {
  to: string
  resolve(answer: Stanza): void
  reject(error: Error): void
  timer: Timer
}

/** LIM-open-questions */
const MOST_QUESTIONS = 10_000
const QUESTION_TIMEOUT = 30_000

export class IqTable {
  readonly #host: Host
  readonly #offers = new Map<string, { owner: string; offer: IqOffer }>()
  readonly #questions = new Map<string, Question>()
  #closed = false

  constructor(host: Host) {
    this.#host = host
  }

  add(owner: string, offers: readonly IqOffer[]): void {
    for (const offer of offers) {
      for (const key of keys(offer)) {
        if (this.#offers.has(key))
          throw new Error(`${owner} and ${this.#offers.get(key)?.owner} both answer ${key}`)
        this.#offers.set(key, { owner, offer })
      }
    }
  }

  remove(owner: string): void {
    for (const [key, entry] of this.#offers) if (entry.owner === owner) this.#offers.delete(key)
  }

  /** Whether this request changes nothing, so that later stanzas need not wait for its answer. */
  reads(envelope: Envelope): boolean {
    return this.#offer(envelope)?.reads === true
  }

  #offer({ stanza, to }: Envelope): IqOffer | undefined {
    const child = stanza.children[0]
    const where = to.isDomain ? 'host' : 'account'
    return child && this.#offers.get(`${where} ${stanza.type} {${child.xmlns}}${child.name}`)?.offer
  }

  answer(envelope: Envelope, transit: Transit): Later {
    if (envelope.stanza.children.length !== 1)
      throw new StanzaError('bad-request', 'a request has one child')
    const offer = this.#offer(envelope)
    // RFC 6120 §8.4: an unknown namespace is answered with service-unavailable.
    if (!offer) throw new StanzaError('service-unavailable')
    const allowed = mayAsk(offer.allow, this.#host, { envelope, session: transit.session })
    if (allowed instanceof Promise)
      return allowed.then((may) => this.#run(offer, { envelope, transit, may }))
    return this.#run(offer, { envelope, transit, may: allowed })
  }

  #run(offer: IqOffer, asked: { envelope: Envelope; transit: Transit; may: boolean }): Later {
    const { envelope, transit } = asked
    if (!asked.may) throw refusal(offer)
    const result = offer.answer(request(envelope, transit))
    if (result instanceof Promise)
      return result.then((child) => this.#reply(envelope, transit, child ?? undefined))
    return this.#reply(envelope, transit, result ?? undefined)
  }

  #reply(envelope: Envelope, transit: Transit, child: Element | undefined): Later {
    const reply = (): void => {
      this.#host.router.answer(envelope, resultReply(envelope.stanza, child))
      transit.answered()
    }
    const committed = transit.commit()
    if (committed) return committed.then(reply)
    reply()
    return undefined
  }

  /** A request without an answer to wait for: a roster push and the like. */
  push(child: Element, { from, to }: { from: Jid; to: Jid }): void {
    const stanza = Stanza.of(xml('iq', { type: 'set', id: this.#host.random.id() }, child))
    this.#host.router.send(stanza, { from, to })
  }

  /** Asks somebody; rejects with the StanzaError that came back, or after a time. */
  ask(
    child: Element,
    { type, from, to }: { type: 'get' | 'set'; from: Jid; to: Jid },
  ): Promise<Stanza> {
    if (this.#closed || this.#questions.size >= MOST_QUESTIONS)
      return Promise.reject(new StanzaError('resource-constraint'))
    const id = this.#host.random.id()
    const answer = new Promise<Stanza>((resolve, reject) => {
      const timer = this.#host.clock.after(QUESTION_TIMEOUT, () =>
        this.#give(id)?.reject(new StanzaError('remote-server-timeout')),
      )
      this.#questions.set(id, { to: to.text, resolve, reject, timer })
    })
    this.#host.router.send(Stanza.of(xml('iq', { type, id }, child)), { from, to })
    return answer
  }

  /** A result or error for the host or an account. */
  answered(envelope: Envelope): undefined {
    const question = this.#questions.get(envelope.stanza.id)
    if (question?.to !== envelope.from.text) return undefined
    this.#give(envelope.stanza.id)
    if (envelope.stanza.type === 'result') question.resolve(envelope.stanza)
    else question.reject(errorOf(envelope.stanza))
    return undefined
  }

  #give(id: string): Question | undefined {
    const question = this.#questions.get(id)
    question?.timer.cancel()
    this.#questions.delete(id)
    return question
  }

  /** Nobody answers any more: what is asked now is refused at once. */
  close(): void {
    this.#closed = true
    for (const question of this.#questions.values()) {
      question.timer.cancel()
      question.reject(new StanzaError('recipient-unavailable'))
    }
    this.#questions.clear()
  }
}

function keys(offer: IqOffer): string[] {
  const types = [
    offer.get && `get {${offer.xmlns}}${offer.get}`,
    offer.set && `set {${offer.xmlns}}${offer.set}`,
  ]
  return types.filter((key) => key !== undefined).map((key) => `${offer.to} ${key}`)
}

/** Who may not ask an account learns nothing of it, not even that it is there (RFC 6121 §8.5.1, SEC-22). */
function refusal(offer: IqOffer): StanzaError {
  return new StanzaError(
    offer.to === 'account' && offer.allow !== 'admin' ? 'service-unavailable' : 'forbidden',
  )
}

function request(envelope: Envelope, transit: Transit): IqRequest {
  const { stanza, from, to } = envelope
  const { name, xmlns } = stanza.children[0]!
  return {
    envelope,
    element: stanza.child(name, xmlns)!,
    type: stanza.type as 'get' | 'set',
    from,
    to: to.bare,
    session: transit.session,
    get entry() {
      return transit.entry
    },
    after: (effect) => transit.after(effect),
    afterAnswer: (effect) => transit.afterAnswer(effect),
  }
}
