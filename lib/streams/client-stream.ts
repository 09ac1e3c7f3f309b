// One XML conversation with a client: header, features, errors and the end (RFC 6120 §4), over TCP
// and over WebSocket (RFC 7395). It knows no mechanism and no module: features do the negotiating,
// the core binds. Once bound, stanzas go to the session; the session outlives this stream.

import type { Clock, Timer } from '../ops/clock.js'
import type { Random } from '../ops/random.js'
import type { Element, Wire } from '../xmpp/element.js'
import { escapeXml, serialize, toWire, xml } from '../xmpp/element.js'
import { StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { NS_BIND, NS_CLIENT, NS_FRAMING, NS_STREAM, NS_STREAM_ERRORS } from '../xmpp/namespaces.js'
import { Stanza } from '../xmpp/stanza.js'
import { authenticatedLimits, unauthenticatedLimits } from '../net/xml-limits.js'
import type { StreamHeader, XmlSink } from '../net/xml-reader.js'
import { XmlReader } from '../net/xml-reader.js'
import type { TlsFacts, Transport, TransportReceiver } from '../net/transport.js'
import type { NegotiatingStream, StreamFeature } from './negotiation.js'

/** What the core binds to a stream. */
export interface BoundSession {
  readonly jid: Jid
  receive(stanza: Stanza): void
  /** The stream is gone; `error` is set where it did not end in peace. */
  detached(stream: ClientStream, error: Error | undefined): void
}

/** A host as a stream sees it. */
export interface StreamHost {
  readonly domain: string
  readonly encryption: 'required' | 'optional'
  features(): readonly StreamFeature[]
  bind(stream: ClientStream, account: Jid, resource: string | undefined): Promise<BoundSession>
}

export interface StreamSurroundings {
  readonly clock: Clock
  readonly random: Random
  host(domain: string): StreamHost | undefined
  /** Where a stream error must be sent before any host is known. */
  readonly defaultDomain: string
  /** A bug in a feature: logged in one place. */
  failed(error: unknown): void
  ended(stream: ClientStream): void
}

/** LIM-unauthenticated-timeout: from the first byte to login, from login to a bound resource. */
const LOGIN_TIMEOUT = 30_000
const BIND_TIMEOUT = 60_000
const CLOSE_TIMEOUT = 5_000
/** RFC 6120 §6.4.5 recommends 2 to 5. */
const LOGIN_ATTEMPTS = 5

type State = 'header' | 'negotiating' | 'bound' | 'closing' | 'closed'

export class ClientStream implements NegotiatingStream, XmlSink, TransportReceiver {
  readonly transport: Transport
  readonly framing: 'stream' | 'message'
  readonly memo = new Map<symbol, unknown>()
  domain = ''
  id = ''
  lang = ''
  claimed: string | undefined
  account: Jid | undefined
  session: BoundSession | undefined
  #surroundings: StreamSurroundings
  #reader: XmlReader
  #host: StreamHost | undefined
  #state: State = 'header'
  #greeted = false
  #offered: readonly StreamFeature[] = []
  #attempts = 0
  #busy = false
  #waiting: (() => void | Promise<void>)[] = []
  #timer: Timer | undefined

  constructor(transport: Transport, surroundings: StreamSurroundings) {
    this.transport = transport
    this.framing = transport.framing
    this.#surroundings = surroundings
    this.#reader = new XmlReader(this, {
      framing: transport.framing,
      content: NS_CLIENT,
      limits: unauthenticatedLimits,
    })
    this.#expect(LOGIN_TIMEOUT)
    transport.receiver = this
  }

  get tls(): TlsFacts | undefined {
    return this.transport.tls
  }

  get secured(): boolean {
    return this.tls !== undefined || this.#host?.encryption === 'optional'
  }

  get remoteAddress(): string {
    return this.transport.remote.address
  }

  // ── from the transport ─────────────────────────────────────────────────────────────────────

  bytes(chunk: Buffer): void {
    this.#guard(() => this.#reader.write(chunk))
  }

  message(chunk: Buffer): void {
    this.#guard(() => this.#reader.message(chunk))
  }

  closed(reason?: Error): void
  closed(): void
  closed(reason?: Error): void {
    // As XmlSink: the peer closed its stream. As TransportReceiver the state is 'closed' afterwards.
    if (this.#readingClose) return this.#peerClosed()
    this.#gone(reason)
  }

  #readingClose = false

  // ── from the reader ────────────────────────────────────────────────────────────────────────

  opened(header: StreamHeader): void {
    this.#queue(() => this.#open(header))
  }

  stanza(stanza: Stanza): void {
    if (this.#busy || this.session === undefined) this.#queue(() => this.#stanzaBeforeBind(stanza))
    else this.session.receive(stanza)
  }

  element(element: Element): void {
    this.#queue(() => this.#element(element))
  }
}
void [Jid, NS_BIND, NS_FRAMING, NS_STREAM, NS_STREAM_ERRORS, serialize, toWire, escapeXml, xml, authenticatedLimits, BIND_TIMEOUT, CLOSE_TIMEOUT, LOGIN_ATTEMPTS]
export type { Wire }
