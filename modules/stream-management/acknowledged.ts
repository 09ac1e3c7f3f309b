// How far a client has what it was sent: by count (XEP-0198 §4), and by position in the message log. The
// position is where a session goes on that is made again: everything up to it the client has.

import type { Session } from '../../lib/core/session.js'
import { numberAt } from '../../lib/storage/logged-message.js'
import { beyond } from './counts.js'
import type { Outbox, Owed } from './outbox.js'
import type { OpenRequests } from './requests.js'
import { packUp, type Shown, writeDown } from './written-down.js'
import { tooHigh } from './wording.js'

/** SEC-07 */
const MOST_REJECTIONS = 3

/** LIM-recent: messages that a client acknowledged just before it went, and is not given again */
const MOST_RECENT = 2000

/** How long a message may take from the log to a node, in milliseconds */
export const ON_THE_WAY = 3000

export interface Start {
  readonly count: number
  readonly position: number
}

export class Acknowledged {
  /** So many stanzas */
  count: number
  /** What is on disk of this is older. */
  stale = false
  readonly #session: Session
  readonly #outbox: Outbox
  readonly #requests: OpenRequests
  /** The newest message that it acknowledged */
  #newest: number
  readonly #begun: number
  /** The last messages that it acknowledged, where several nodes write the log */
  readonly #recent: number[] = []
  #rejections = { at: -1, times: 0 }

  constructor(session: Session, queues: { outbox: Outbox; requests: OpenRequests }, start: Start) {
    this.#session = session
    this.#outbox = queues.outbox
    this.#requests = queues.requests
    this.count = start.count
    this.#newest = start.position
    this.#begun = start.position
  }

  /** What it was sent before the counting began is not owed to it. */
  beginAfter(id: number): void {
    if (id <= this.#newest) return
    this.#newest = id
    this.stale = true
  }

  /** So many stanzas were sent, those included that it has not acknowledged. */
  get sentCount(): number {
    return this.count + this.#outbox.written
  }

  /** Throws where it is more than was sent (§6). */
  check(h: number): void {
    if (beyond(h, this.count) > this.#outbox.written) throw tooHigh(h, this.sentCount)
  }

  /** A count that was true earlier says nothing. */
  advance(h: number): void {
    this.check(h)
    const ahead = beyond(h, this.count)
    let newest = 0
    for (let i = 0; i < ahead; i++) newest = Math.max(newest, this.#taken(this.#outbox.shift()))
    if (ahead > 0) this.count += ahead
    if (newest > 0) this.#session.took(Math.min(newest, this.position))
  }

  /** Gives the number of a message that moves the account's cursor. */
  #taken(owed: Owed): number {
    if (owed.logId === 0) {
      const iq = 'stanza' in owed && owed.stanza.kind === 'iq' ? owed.stanza : undefined
      if (iq && this.#requests.answered(iq)) this.stale = true
      return 0
    }
    if (owed.logId > this.#newest) this.#newest = owed.logId
    this.stale = true
    if (this.#session.host.server.whereabouts) this.#remember(owed.logId)
    this.#session.had(owed.logId)
    return this.#session.position.inTurn(owed.logId) ? owed.logId : 0
  }

  #remember(id: number): void {
    const recent = this.#recent
    recent.push(id)
    if (recent.length > MOST_RECENT) recent.splice(0, MOST_RECENT / 2)
  }

  /** Whether the client says less than it said before: it has lost what it had. */
  forgot(h: number): boolean {
    return beyond(h, this.count) < 0
  }

  /** Up to here the client has everything that is in the log for it. */
  get position(): number {
    const { lowest } = this.#outbox
    const known = lowest > 0 ? Math.min(lowest - 1, this.#newest) : this.#newest
    const { behind } = this.#session
    return behind ? Math.min(known, behind.after) : known
  }

  /**
   * What may be on disk of that: where it is not certain that everything was shown in its turn, an older
   * message may be on its way behind a newer one, and only what is older than that takes has its place.
   */
  get settled(): number {
    const { position } = this
    const { clock, server } = this.#session.host
    if (!server.whereabouts || server.showing.certain) return position
    const certain = clock.now() - server.members.silence - ON_THE_WAY
    return Math.min(position, Math.max(this.#begun, numberAt(certain)))
  }

  /** From where a session goes on that takes no more. */
  get sent(): number {
    return this.#outbox.highest || this.#newest
  }

  /** Nothing that is newer was shown to it. */
  get top(): number {
    const { behind } = this.#session
    const top = Math.max(this.#outbox.highest, this.#newest)
    return behind ? Math.min(top, behind.after) : top
  }

  /** SEC-07: what makes a client end its stream again and again is not sent for ever. */
  rejected(): void {
    if (this.#outbox.length === 0) return
    const { at, times } = this.#rejections
    this.#rejections = { at: this.count, times: at === this.count ? times + 1 : 1 }
    if (this.#rejections.times >= MOST_REJECTIONS) this.#dropFirst()
  }

  /** Also while it was on another node */
  rejectedBefore(times: number): void {
    this.#rejections = { at: this.count, times }
  }

  #dropFirst(): void {
    this.#rejections = { at: -1, times: 0 }
    const dropped = this.#outbox.shift()
    if (dropped.logId > this.#newest) this.#newest = dropped.logId
    const { host, jid } = this.#session
    const from = 'stanza' in dropped ? dropped.from.text : undefined
    host.log.warn('a stanza that its client rejects was dropped', { from, to: jid.text })
  }

  /** It went at this moment: what is written of it later says the same. */
  writeDown(detached: number): string {
    const { behind: reading, position } = this.#session
    const behind = reading && reading.after < Number.MAX_SAFE_INTEGER ? reading.after : undefined
    const known = {
      acknowledged: this.count,
      newest: this.#newest,
      read: Math.max(this.#begun, position.read),
      behind,
      had: [...this.#recent, ...position.apart],
      since: numberAt(detached - 2 * ON_THE_WAY),
    }
    return JSON.stringify(writeDown(this.#outbox, known))
  }

  /** For another node, which is to go on as this one would */
  packUp(shown: Shown): string {
    const { at, times } = this.#rejections
    const rejections = at === this.count ? times : 0
    const known = { acknowledged: this.count, shown, rejections, place: this.#session.id }
    return JSON.stringify(packUp(this.#outbox, known))
  }
}
