// What becomes of stanzas for a client that takes no more, and of those it has not acknowledged when
// its session ends (XEP-0198 §4). What is in the message log is there already and never comes here;
// for the rest the present state stands in, or its sender is told.

import type { Session } from '../../lib/core/session.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { late } from '../../lib/xmpp/held-back.js'
import { isOnlyChatState, trait, traitsOf } from '../../lib/xmpp/message-traits.js'
import type { Owed } from './outbox.js'

/** LIM-presence-held: senders whose latest presence waits for a client */
const MOST_SENDERS = 1000

export class Overflow {
  readonly #session: Session
  /** The latest of each sender */
  readonly #presence = new Map<string, Envelope>()

  constructor(session: Session) {
    this.#session = session
  }

  /** Whether the stanza goes into the queue all the same. */
  mustQueue(envelope: Envelope): boolean {
    const { stanza, logId } = envelope
    if (logId > 0) return true
    if (stanza.kind === 'presence') this.#hold(envelope)
    else if (isAnswer(envelope) || this.#isPush(envelope)) return true
    else if (!isTransient(envelope)) this.#refuse(envelope)
    return false
  }

  /** There is room again. */
  release(): Envelope[] {
    if (this.#presence.size === 0) return []
    const held = [...this.#presence.values()]
    this.#presence.clear()
    return held
  }

  get size(): number {
    return this.#presence.size
  }

  #hold(envelope: Envelope): void {
    const { type } = envelope.stanza
    const key = `${type === 'unavailable' ? '' : type} ${envelope.from.text}`
    this.#presence.delete(key)
    this.#presence.set(key, envelope)
    if (this.#presence.size > MOST_SENDERS)
      this.#presence.delete(this.#presence.keys().next().value!)
  }

  /** What the client knows of its account would be wrong without it (RFC 6121 §2.1.6). */
  #isPush({ stanza, from }: Envelope): boolean {
    const { account, host } = this.#session
    return (
      stanza.kind === 'iq' &&
      stanza.type === 'set' &&
      (from.equals(account) || from.equals(host.jid))
    )
  }

  #refuse(envelope: Envelope): void {
    const { router, server } = this.#session.host
    const refuse = () => router.refuse(envelope, new StanzaError('recipient-unavailable'))
    if (envelope.to.isBare) server.pending(this.#ifNobodyTakes(refuse))
    else refuse()
  }

  /** RFC 6121 §8.5.2.1.1: of the devices it was for, one that takes it is enough. */
  async #ifNobodyTakes(refuse: () => void): Promise<void> {
    const { host, account } = this.#session
    const places = await host.server.directory.lookup(account.text)
    const wanting = places.filter(({ available, priority }) => available && priority >= 0)
    const full = host.sessions.of(account).filter(({ keeper }) => keeper?.full)
    if (wanting.some(({ id }) => !full.some((session) => session.id === id))) return
    // One of them says so for all.
    const first = full.find(({ id }) => wanting.some((place) => place.id === id))
    if (first === undefined || first === this.#session) refuse()
  }
}

/** An answer to a request, a result of an archive: bounded by what the client asks. */
function isAnswer({ stanza }: Envelope): boolean {
  if (stanza.kind === 'iq') return stanza.type === 'result' || stanza.type === 'error'
  return (traitsOf(stanza) & trait.wrapper) !== 0
}

function isTransient({ stanza }: Envelope): boolean {
  if (stanza.kind !== 'message') return false
  return stanza.type === 'error' || stanza.type === 'headline' || isOnlyChatState(stanza)
}

/**
 * §4: unacknowledged stanzas are treated as for a resource that is not there: requests are answered by
 * an error, messages that are in no log go to who is there. Presence and what was asked for is dropped.
 */
export function giveBack(session: Session, outbox: Iterable<Owed>): void {
  for (const owed of outbox) {
    // What was said in a room is in its log.
    if (owed.logId > 0 || !('stanza' in owed) || owed.said > 0) continue
    const { kind, type } = owed.stanza
    if (kind === 'iq' && (type === 'get' || type === 'set'))
      session.host.router.refuse(owed, new StanzaError('service-unavailable'))
    if (kind === 'message' && !isTransient(owed) && !isAnswer(owed)) reroute(session, owed)
  }
}

function reroute(session: Session, envelope: Envelope): void {
  const { host, account } = session
  const others = host.sessions.of(account)
  // Whoever was there then has had it.
  if (envelope.to.isBare && others.some(({ available, priority }) => available && priority >= 0))
    return
  host.router.receive(late(envelope, host.jid.attr))
}
