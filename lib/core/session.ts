// One bound address with an inbox and an outlet. The inbox is a lane: stanzas of one stream are
// decided in the order they came (RFC 6120 §10.1), one at a time where one must wait. The outlet
// writes to whatever stream is attached; the session outlives its stream.

import { toWire } from '../xmpp/element.js'
import { Envelope } from '../xmpp/envelope.js'
import { StanzaError, StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { NS_CLIENT } from '../xmpp/namespaces.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { Place } from '../cluster/directory.js'
import { type ClientStream, HELD_BY_SESSION } from '../streams/client-stream.js'
import type { BoundSession } from '../streams/surroundings.js'
import type { Host } from './host.js'
import { type Handled, handled } from './pipeline.js'
import { Transit } from './transit.js'

const WIRE_CLIENT = toWire(NS_CLIENT)

export class Session implements BoundSession, Place {
  readonly id: string
  readonly host: Host
  readonly jid: Jid
  readonly account: Jid
  readonly number: number
  readonly node: string
  readonly bound: number
  /** The last available presence it broadcast; undefined while it is unavailable. */
  presence: Envelope | undefined
  priority = 0
  /** Asked for its roster, so it is pushed changes (RFC 6121 §2.1.6). */
  interested = false
  /** What modules remember of this session, keyed by a symbol of their own. */
  readonly memo = new Map<symbol, unknown>()
  #stream: ClientStream | undefined
  #inbox: Stanza[] = []
  #busy = false
  #closed = false
  #reads = 0

  constructor(host: Host, stream: ClientStream, bound: { jid: Jid; number: number }) {
    this.id = host.random.id()
    this.host = host
    this.jid = bound.jid
    this.account = bound.jid.bare
    this.number = bound.number
    this.node = host.server.node
    this.bound = host.clock.now()
    this.#stream = stream
  }

  get resource(): string {
    return this.jid.resource
  }

  get available(): boolean {
    return this.presence !== undefined
  }

  get stream(): ClientStream | undefined {
    return this.#stream
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Nothing of this session's stanzas is under way. */
  get idle(): boolean {
    return !this.#busy && this.#reads === 0
  }

  // Inbox

  receive(stanza: Stanza): void {
    if (this.#closed) return
    if (this.#busy) {
      this.#inbox.push(stanza)
      return
    }
    const later = this.#decide(stanza)
    if (later) this.#hold(later)
  }

  /** An iq that only reads holds nobody: its answer comes when it comes. */
  reading(later: Promise<void>): void {
    this.#reads++
    later.finally(() => this.#reads--)
  }

  #hold(later: Promise<void>): void {
    this.#busy = true
    this.#stream?.hold(HELD_BY_SESSION)
    later.then(
      () => this.#next(),
      (error) => {
        this.host.failed('session', error)
        this.#next()
      },
    )
  }

  #next(): void {
    this.#busy = false
    while (!this.#busy && this.#inbox.length > 0) this.receive(this.#inbox.shift()!)
    if (!this.#busy) this.#stream?.release(HELD_BY_SESSION)
  }

  #decide(stanza: Stanza): Promise<void> | void {
    const envelope = this.#envelope(stanza)
    return envelope && this.host.router.submit(envelope, this)
  }

  #envelope(stanza: Stanza): Envelope | undefined {
    // RFC 6120 §8.1.2.1: `from` may name this resource or its account, nobody else.
    if (stanza.from !== undefined && !this.#isOurs(stanza.from)) {
      this.close(new StreamError('invalid-from'))
      return undefined
    }
    const to = stanza.to === undefined ? this.account : Jid.tryParse(stanza.to)
    if (!to) {
      this.#refuse(stanza, new StanzaError('jid-malformed'))
      return undefined
    }
    return new Envelope({
      stanza,
      from: this.jid,
      to,
      origin: 'client',
      arrived: this.host.clock.now(),
      addressed: stanza.to !== undefined,
    })
  }

  #isOurs(from: string): boolean {
    const jid = Jid.tryParse(from)
    return jid !== undefined && (jid.isBare ? jid.equals(this.account) : jid.equals(this.jid))
  }

  #refuse(stanza: Stanza, error: StanzaError): void {
    const envelope = new Envelope({
      stanza,
      from: this.jid,
      to: this.account,
      origin: 'client',
      arrived: this.host.clock.now(),
    })
    this.host.router.refuse(envelope, error)
  }

  // Outlet

  write(envelope: Envelope): void {
    if (this.#closed) return
    const { pipeline } = this.host
    const prepared = pipeline.has('session:write') ? this.#prepare(envelope) : envelope
    if (prepared !== handled) this.#put(prepared)
  }

  // Order on a stream is the order of writing: nothing may wait here.
  #prepare(envelope: Envelope): Envelope | Handled {
    const passage = new Transit(this.host, this).passage(this.account)
    const prepared = this.host.pipeline.prepare('session:write', envelope, passage)
    if (prepared instanceof Promise) throw new Error('session:write must be synchronous')
    return prepared
  }

  #put(envelope: Envelope): void {
    const stream = this.#stream
    if (!stream) return
    stream.write(stream.framing === 'message' ? envelope.wireFor(WIRE_CLIENT) : envelope.wire)
  }

  // Streams come and go

  detached(stream: ClientStream, _error: Error | undefined): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.host.events.emit('session:detached', { session: this })
    this.host.sessions.remove(this)
  }

  /** Ends the session and its stream; with an error the client is told why. */
  close(error?: StreamError): void {
    if (this.#closed) return
    const stream = this.#stream
    if (stream) stream.close(error)
    else this.host.sessions.remove(this)
  }

  /** For the list of sessions, when no route leads here any more. */
  ended(): void {
    this.#closed = true
    this.#inbox.length = 0
  }
}
