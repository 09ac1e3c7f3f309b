// What a session missed, from the message log: everything after a number, page by page, in order. While
// it is behind, logged messages that arrive are not written to it; it comes to them by itself. Used by
// whoever lets a session fall behind: it came back, or takes less than it is sent.

import { toWire } from '../xmpp/element.js'
import { Envelope } from '../xmpp/envelope.js'
import { Jid } from '../xmpp/jid.js'
import { Stanza } from '../xmpp/stanza.js'
import { INCOMING, timeOf } from '../storage/logged-message.js'
import type { Logged, Page } from '../storage/message-log.js'
import type { Host } from './host.js'
import type { Session } from './session.js'

const PAGE = 50
const NOTHING: Page = { messages: [], complete: true }
/** Milliseconds until what could not be read is asked for again */
const AGAIN = 1000

export interface CatchUpTerms {
  /** Bits of the index that a message must have */
  readonly flags: number
  /** Bits that it must not have */
  readonly absent?: number
  /** Most likely there is nothing: that is asked first, together with others. */
  readonly unlikely?: boolean
  /** Whether the session takes more now; who says no calls `run` again. */
  room(): boolean
  /** The last touch before it is written; undefined leaves it out. */
  amend?(envelope: Envelope, logged: Logged): Envelope | undefined
}

export class CatchUp {
  readonly #session: Session
  readonly #terms: CatchUpTerms
  /** What is older it does not read. */
  readonly #start: number
  #after: number
  #missed = 0
  #read = 0
  #running: Promise<void> | undefined
  #failing = false

  constructor(session: Session, after: number, terms: CatchUpTerms) {
    this.#session = session
    this.#after = after
    this.#start = after < Number.MAX_SAFE_INTEGER ? after : 0
    this.#terms = terms
  }

  /** What comes after this number is not written to it yet. */
  get after(): number {
    return this.#after
  }

  /** Whether this message has had its turn: who left it out then may still be sent it as it comes. */
  passed(id: number): boolean {
    return id <= this.#read || id <= this.#start
  }

  /** A message for this session was not written to it. */
  missed(id: number): void {
    if (id > this.#missed) this.#missed = id
  }

  /** Whether it keeps what is not in the log, to write it when all the rest is. */
  holds(_envelope: Envelope): boolean {
    return false
  }

  /** Nothing is left to catch up with. */
  protected done(): void {}

  /**
   * Goes on while there is room; the session is no longer behind when nothing is left. Never rejects:
   * nobody else would have it go on after a database that was away for a moment.
   */
  run(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error) => this.#again(error))
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  #again(error: unknown): void {
    const { host } = this.#session
    // Said once, however long it lasts.
    if (!this.#failing) host.failed('catch-up', error)
    this.#failing = true
    host.clock.after(AGAIN, () => {
      if (this.#session.behind === this && !this.#session.closed) host.server.pending(this.run())
    })
  }

  async #run(): Promise<void> {
    while (this.#session.behind === this && !this.#session.closed && this.#room()) {
      // What comes while the page is read is not on it, and is looked for again.
      const missed = this.#missed
      const page = await this.#page()
      this.#failing = false
      if (this.#session.behind !== this) return
      for (const logged of page.messages) this.#put(logged)
      if (page.complete && this.#missed <= this.#after) this.#end()
      else if (page.messages.length === 0) this.#after = Math.max(this.#after, missed)
    }
  }

  async #page(): Promise<Page> {
    const { number: owner, host } = this.#session
    const { flags, absent = 0, unlikely = false } = this.#terms
    const after = this.#after
    if (unlikely && this.#read === 0 && !(await host.messages.mayHaveNewer(owner, after)))
      return NOTHING
    return host.messages.page({ owner, after, flags, absent, limit: PAGE })
  }

  #room(): boolean {
    return this.#terms.room() && this.#session.keeper?.room() !== false
  }

  #end(): void {
    this.#session.behind = undefined
    this.done()
    this.#session.keeper?.caughtUp()
  }

  /** What was read here may still arrive: it was on disk before its sender's node knew. */
  #put(logged: Logged): void {
    const { position } = this.#session
    this.#after = logged.id
    this.#read = logged.id
    const had = position.has(logged.id)
    const envelope = this.#replayed(logged)
    position.caughtUp(logged.id, this.#start)
    if (envelope) this.#session.put(envelope)
    else if (!had) position.leftOut(logged.id)
  }

  #replayed(logged: Logged): Envelope | undefined {
    try {
      const envelope = this.#session.host.replayed(logged, this.#session)
      return envelope && this.#terms.amend ? this.#terms.amend(envelope, logged) : envelope
    } catch (error) {
      // Whoever breaks here must not keep everything that follows.
      this.#session.host.failed('replay', error)
      return undefined
    }
  }
}

/** The message as it was when it arrived. */
export function envelopeOf({ id, from, to, text }: Logged): Envelope {
  return new Envelope({
    stanza: Stanza.parse(toWire(text)),
    from: Jid.parse(from),
    to: Jid.parse(to),
    origin: 'local',
    arrived: timeOf(id),
    logId: id,
  })
}

/** Whether it was sent to this very session: RFC 6121 §8.5.2.1.1, §8.5.3. */
export function isDirect({ to, flags }: Logged, session: Session): boolean {
  if (!(flags & INCOMING)) return false
  const jid = Jid.parse(to)
  if (jid.isBare || jid.resource === session.resource) return true
  return !isThere(jid, session.host)
}

/** On whatever node, as far as this one knows at once. */
function isThere(jid: Jid, { server, sessions }: Host): boolean {
  if (sessions.find(jid)) return true
  const places = server.directory.lookup(jid.bare.text)
  return !(places instanceof Promise) && places.some(({ resource }) => resource === jid.resource)
}
