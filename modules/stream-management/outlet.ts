// How a managed session writes (XEP-0198 §4, §5). It flows while nothing waits before what comes:
// then a stanza goes to the stream at once. After a resumption, and while the stream is not read, what
// waits is written first, as fast as the client takes it. Where the client acknowledges less than it is
// sent the queue is full: then messages stay in the log until there is room again.

import { MOST_BUFFERED } from '../../lib/core/long-answers.js'
import type { Session } from '../../lib/core/session.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { late } from '../../lib/xmpp/held-back.js'
import type { Acknowledged } from './acknowledged.js'
import { Missed } from './missed.js'
import type { Outbox } from './outbox.js'
import { Overflow } from './overflow.js'
import type { Bounds } from './registry.js'
import { fetchTexts } from './texts.js'
import { REQUEST } from './wording.js'

/** So many stanzas are written before the client is asked what it has. */
const ASK_AFTER = 8
/** LIM-ack-wait */
const MOST_PATIENCE = 60_000
/** What a client asked for itself may go beyond the bound, so many times. */
const FAR_BEYOND = 8
/** How soon a slow reader is looked at again */
const PAUSE = 100
/** How soon what could not be read from the log is looked for again */
const AGAIN = 1000

interface OutletTerms {
  readonly outbox: Outbox
  readonly acknowledged: Acknowledged
  bounds(): Bounds
  /** Steady time */
  now(): number
  /** Nothing waits any more before what comes. */
  flows(): void
}

export class Outlet {
  readonly missed: Missed
  readonly #session: Session
  readonly #terms: OutletTerms
  readonly #outbox: Outbox
  readonly #overflow: Overflow
  /** When the client was asked; 0 where no answer is awaited */
  #asked = 0
  #flowing = false
  #pumping = false
  /** The log could not be read. */
  #failing = false
  #quiet = true
  #full = false

  constructor(session: Session, terms: OutletTerms) {
    this.#session = session
    this.#terms = terms
    this.#outbox = terms.outbox
    this.#overflow = new Overflow(session)
    this.missed = new Missed(session, () => this.#flowing)
  }

  /** The stream has yet to be told that it is managed or resumed. */
  get quiet(): boolean {
    return this.#quiet
  }

  /** Nothing waits before what comes. */
  get flowing(): boolean {
    return this.#flowing
  }

  get full(): boolean {
    return this.#full
  }

  room(): boolean {
    const { stanzas, bytes } = this.#terms.bounds()
    const outbox = this.#outbox
    if (!this.#flowing || outbox.length > stanzas / 2 || outbox.bytes > bytes / 2) return false
    return (this.#session.stream?.transport.buffered ?? 0) < MOST_BUFFERED
  }

  write(envelope: Envelope): void {
    if (this.#full && !this.#overflow.mustQueue(envelope)) return
    const outbox = this.#outbox
    outbox.push(envelope)
    if (this.#flowing && this.#takes()) {
      this.#session.send(envelope)
      outbox.written++
      if (this.#asked === 0 && outbox.written >= ASK_AFTER) this.#ask()
    }
    this.#measure()
  }

  /** Where much waits to be taken by the kernel, the rest waits here. */
  #takes(): boolean {
    const { stream } = this.#session
    if (!stream || this.#outbox.bytes < MOST_BUFFERED) return stream !== undefined
    if (stream.transport.buffered < MOST_BUFFERED) return true
    this.#flowing = false
    this.#pumpLater()
    return false
  }

  /** LIM-sm-queue */
  #measure(): void {
    const { length, bytes } = this.#outbox
    const { stanzas: most, bytes: mostBytes } = this.#terms.bounds()
    if (length < most && bytes < mostBytes) return
    if (length > most * FAR_BEYOND || bytes > mostBytes * FAR_BEYOND) {
      // Answers were lost if this went on: that must not look like a stream that goes on.
      this.#session.close(new StreamError('policy-violation', 'too much is not acknowledged'))
    } else if (!this.#full) this.#fallBehind()
  }

  #fallBehind(): void {
    this.#full = true
    this.missed.fallBehind(this.#terms.acknowledged.sent)
    this.#outbox.letGo()
  }

  #ask(): void {
    this.#asked = this.#terms.now()
    this.#session.stream?.write(REQUEST)
  }

  /** The client has acknowledged something: there may be room again. */
  heard(): void {
    this.#asked = 0
    if (this.#flowing && this.#outbox.written >= ASK_AFTER) this.#ask()
    this.#goOn()
  }

  #goOn(): void {
    if (this.#full && !this.room()) return
    this.#full = false
    for (const envelope of this.#overflow.release()) this.write(envelope)
    this.missed.run()
  }

  /** The stream is gone. */
  halt(): void {
    this.#flowing = false
    this.#asked = 0
  }

  /** For another stream everything is to be written; not before `begin`. */
  rewind(): void {
    this.#quiet = true
    this.#outbox.written = 0
  }

  /** §5: what it has not acknowledged, in order, and then what it missed. */
  begin(): void {
    this.#quiet = false
    this.#pump()
  }

  /** Once a second. Whether there is something to look at the next time. */
  look(now: number): boolean {
    if (this.#asked > 0 && now - this.#asked >= MOST_PATIENCE)
      this.#session.stream?.close(new StreamError('connection-timeout', 'nothing is acknowledged'))
    else if (this.#asked === 0 && this.#flowing && this.#outbox.written > 0) this.#ask()
    return this.#outbox.length > 0
  }

  // What waits

  #pumpLater(pause = PAUSE): void {
    const { host, stream } = this.#session
    host.clock.after(pause, () => {
      if (this.#session.stream === stream && !this.#session.closed) this.#pump()
    })
  }

  #pump(): void {
    if (this.#pumping || this.#flowing || this.#quiet || !this.#session.stream) return
    this.#pumping = true
    const { server } = this.#session.host
    server.pending(this.#writeWaiting().catch((error) => this.#pumpAgain(error)))
  }

  #pumpAgain(error: unknown): void {
    // Said once, however long it lasts.
    if (!this.#failing) this.#session.host.failed('stream management', error)
    this.#failing = true
    this.#pumpLater(AGAIN)
  }

  async #writeWaiting(): Promise<void> {
    const outbox = this.#outbox
    const session = this.#session
    try {
      for (let { stream } = session; stream && !this.#quiet; stream = session.stream) {
        if (outbox.written >= outbox.length) return this.#flow()
        if (stream.transport.buffered >= MOST_BUFFERED) return this.#pumpLater()
        if (!('stanza' in outbox.at(outbox.written))) await fetchTexts(outbox, session)
        if (session.stream === stream && !this.#quiet) this.#writeNext()
      }
    } finally {
      // At once: whoever begins with another stream after this is not to find it at work.
      this.#pumping = false
    }
  }

  #writeNext(): void {
    this.#failing = false
    const outbox = this.#outbox
    const owed = outbox.at(outbox.written)
    if (!owed || !('stanza' in owed)) return
    this.#session.send(late(owed, this.#session.host.jid.attr))
    outbox.written++
    if (this.#asked === 0 && outbox.written >= ASK_AFTER) this.#ask()
  }

  #flow(): void {
    this.#flowing = true
    this.#terms.flows()
    if (this.#asked === 0 && this.#outbox.written > 0) this.#ask()
    this.#goOn()
  }
}
