// What a client that comes is behind with: the messages that it is owed, and those that came meanwhile.
// The first one that it missed divides them. What is not in the log must not overtake what is: it waits
// here, up to a bound, and is written in its place; what the account's own server says is an answer to
// something and does not wait.

import { CatchUp, type CatchUpTerms } from '../../lib/core/catch-up.js'
import type { Session } from '../../lib/core/session.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'

/** LIM-backlog-held: messages for one session; more than that go at once. */
const MOST_HELD = 500

export class Backlog extends CatchUp {
  first = Number.MAX_SAFE_INTEGER
  readonly #session: Session
  #last = 0
  #held: { after: number; envelope: Envelope }[] = []

  constructor(session: Session, after: number, terms: CatchUpTerms) {
    super(session, after, terms)
    this.#session = session
  }

  /** Goes on where another one began. */
  takesOver(other: Backlog): void {
    this.first = other.first
    this.#last = other.#last
    this.#held = other.#held
    other.#held = []
  }

  override missed(id: number): void {
    super.missed(id)
    this.first = Math.min(this.first, id)
    this.#last = Math.max(this.#last, id)
  }

  /** What came before this message and is not in the log. */
  reaches(id: number): void {
    if (id < this.first) return
    while (this.#held[0] && this.#held[0].after < id)
      this.#session.put(this.#held.shift()!.envelope)
  }

  override holds(envelope: Envelope): boolean {
    if (envelope.stanza.kind !== 'message' || this.#held.length >= MOST_HELD) return false
    if (envelope.from.equals(this.#session.account)) return false
    this.#held.push({ after: this.#last, envelope })
    return true
  }

  /** What is in no log goes along, whatever its place would have been. */
  surrender(): void {
    for (const { envelope } of this.#held.splice(0)) this.#session.put(envelope)
  }

  /** Before its time, or at its end. */
  override done(): void {
    if (this.#session.behind === this) this.#session.behind = undefined
    for (const { envelope } of this.#held.splice(0)) this.#session.write(envelope)
  }
}
