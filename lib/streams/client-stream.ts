// One XML conversation with a client: header, features, errors and the end (RFC 6120 §4), over TCP
// and over WebSocket (RFC 7395). It knows no mechanism and no module: features do the negotiating,
// the core binds. Once bound, stanzas go to the session, which outlives this stream.
//
// While a feature is at work nothing further is taken from the client: what the reader still finds
// in the chunk at hand waits in order, and the transport is paused.

import { type Element, serialize, type Wire } from '../xmpp/element.js'
import { StanzaError, StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { NS_CLIENT } from '../xmpp/namespaces.js'
import type { Stanza } from '../xmpp/stanza.js'
import { authenticatedLimits, unauthenticatedLimits } from '../net/xml-limits.js'
import { type StreamHeader, XmlReader, type XmlSink } from '../net/xml-reader.js'
import type { Brief } from '../net/xml-unit.js'
import { isLoopback } from '../net/addresses.js'
import type { TlsFacts, Transport } from '../net/transport.js'
import { Attempts } from './attempts.js'
import { Deadline } from './deadline.js'
import { featureFor, featureList } from './feature-list.js'
import { closing, greeting, streamErrorElement } from './framing.js'
import { Flow, HELD_BY_FEATURE } from './flow.js'
import { Intake } from './intake.js'
import type { NegotiatingStream, StreamFeature } from './negotiation.js'
import type { BoundSession, StreamHost, StreamSurroundings } from './surroundings.js'
import { checkHeader } from './stream-header.js'
import { Turns, type TurnsOwner } from './turns.js'
import { answerUnbound } from './unbound-requests.js'

/** LIM-unauthenticated-timeout: from the first byte to login, from login to a bound resource. */
const LOGIN_TIMEOUT = 30_000
const BIND_TIMEOUT = 60_000

type State = 'header' | 'open' | 'closed'

export class ClientStream implements NegotiatingStream, XmlSink, TurnsOwner {
  readonly transport: Transport
  readonly flow: Flow
  readonly memo = new Map<symbol, unknown>()
  domain = ''
  id = ''
  lang = ''
  claimed: string | undefined
  account: Jid | undefined
  session: BoundSession | undefined
  /** When the client was last heard of, keep-alives included */
  heard = 0
  #surroundings: StreamSurroundings
  #reader: XmlReader
  #host: StreamHost | undefined
  #state: State = 'header'
  #greeted = false
  #offered: readonly StreamFeature[] = []
  readonly #attempts = new Attempts()
  readonly #turns: Turns
  readonly #deadline: Deadline

  constructor(transport: Transport, surroundings: StreamSurroundings) {
    this.transport = transport
    this.#surroundings = surroundings
    this.#reader = new XmlReader(this, {
      framing: transport.framing,
      content: NS_CLIENT,
      limits: unauthenticatedLimits,
    })
    this.#turns = new Turns(this)
    this.flow = new Flow(transport, surroundings)
    this.heard = surroundings.clock.now()
    this.#deadline = new Deadline(surroundings.clock, () =>
      this.close(new StreamError('connection-timeout')),
    )
    this.#deadline.within(LOGIN_TIMEOUT)
    transport.receiver = new Intake(this)
  }

  get framing(): 'stream' | 'message' {
    return this.transport.framing
  }

  get tls(): TlsFacts | undefined {
    return this.transport.tls
  }

  get secured(): boolean {
    if (this.tls !== undefined || this.#host?.encryption === 'optional') return true
    // A page of this machine's own browser: what it says never crosses a network.
    const { address, proxied } = this.transport.remote
    return this.framing === 'message' && !proxied && isLoopback(address)
  }

  get remoteAddress(): string {
    return this.transport.remote.address
  }

  // From the transport

  bytes(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.heard = this.#surroundings.clock.now()
    try {
      if (this.framing === 'stream') this.#reader.write(chunk)
      else this.#reader.message(chunk)
    } catch (error) {
      this.fail(error)
    }
    this.flow.spend(chunk.length, this.heard)
  }

  gone(reason: Error | undefined): void {
    this.#end(reason ?? new Error('the connection was closed without a closing tag'))
  }

  // From the reader

  opened(header: StreamHeader): void {
    this.#turns.take(() => this.#open(header))
  }

  stanza(stanza: Stanza): void {
    this.flow.counts()
    if (this.session !== undefined && !this.#turns.busy) this.session.receive(stanza)
    else this.#turns.take(() => this.#stanza(stanza))
  }

  /** Of a bound stream: what its session understands needs no feature. */
  brief(brief: Brief): boolean {
    return !this.#turns.busy && this.session?.told(brief) === true
  }

  element(element: Element): void {
    this.#turns.take(() => this.#negotiate(element))
  }

  /** RFC 6120 §4.4: the client closes its stream; ours is closed when what it asked is answered. */
  closed(): void {
    this.#turns.take(() => {
      const busy = this.session?.drained()
      return busy ? busy.then(() => this.close()) : this.close()
    })
  }

  // For features and the session

  hold(until: Promise<void>): void {
    this.#surroundings.pending(until)
    this.flow.hold(HELD_BY_FEATURE)
  }

  release(): void {
    this.flow.release(HELD_BY_FEATURE)
  }

  fail(error: unknown): void {
    if (this.#state === 'closed') return
    if (!(error instanceof StreamError)) this.#surroundings.failed(error)
    this.close(error instanceof StreamError ? error : new StreamError('internal-server-error'))
  }

  send(element: Element): void {
    this.write(serialize(element))
  }

  /** Text that stands for itself: with framing 'message' it names its namespace. */
  write(wire: Wire): void {
    this.transport.write(wire)
  }

  authenticated(account: Jid, next: 'restart' | 'features' | 'later'): void {
    // The client may have gone while its password was checked.
    if (this.#state === 'closed') return
    this.account = account
    this.#reader.limits = authenticatedLimits
    this.#deadline.within(BIND_TIMEOUT)
    if (next === 'features') this.offer()
    if (next === 'restart') this.#restart()
  }

  offer(): void {
    const { offered, element } = featureList(this, this.#host?.features() ?? [])
    this.#offered = offered
    this.send(element)
  }

  loginFailed(guess: boolean): void {
    if (this.#attempts.failed(guess))
      this.close(new StreamError('policy-violation', 'too many failed logins'))
  }

  async bind(resource: string | undefined): Promise<BoundSession> {
    if (!this.#host || !this.account || this.session) throw new StanzaError('unexpected-request')
    const session = await this.#host.bind(this, this.account, resource)
    if (this.#state === 'closed') {
      // It ended while we bound: nobody else would take the session away.
      session.detached(this, undefined)
      throw new StanzaError('unexpected-request')
    }
    this.session = session
    this.#deadline.met()
    return session
  }

  /** Resumption: the session was bound on another stream (RFC 6120 knows only new ones). */
  adopt(session: BoundSession): void {
    if (this.#state === 'closed') {
      session.detached(this, new Error('the stream ended before it took up the session'))
      return
    }
    this.session = session
    this.#deadline.met()
  }

  async secure(proceed: Element): Promise<void> {
    // RFC 6120 §5.4.3.3: nothing that came in clear may count after TLS (SEC-12).
    this.#reader.stop()
    this.#turns.drop()
    this.send(proceed)
    try {
      await this.transport.secure()
    } catch (error) {
      // RFC 6120 §5.4.3.2: there is nobody to tell.
      this.#end(error as Error)
      return
    }
    this.#restart()
  }

  close(error?: StreamError): void {
    if (this.#state === 'closed') return
    if (!this.#greeted) this.#greet(this.#host?.domain ?? '')
    if (error) this.send(streamErrorElement(error, this.framing))
    else for (const feature of this.#host?.features() ?? []) feature.ending?.(this)
    this.write(closing(this.framing))
    // First: what the transport has to say about its end is no news then.
    this.#end(error)
    this.transport.close()
  }

  /** RFC 6120 §4.3.3: a new stream on the same connection, with a header and an id of its own. */
  #restart(): void {
    if (this.#state === 'closed') return
    this.id = ''
    this.#greeted = false
    this.#state = 'header'
    this.#reader.reset()
  }

  #open(header: StreamHeader): void {
    if (this.#state !== 'header') throw new StreamError('not-well-formed', 'a second stream header')
    const domain = Jid.tryParse(header.to)
    const host = domain?.isDomain ? this.#surroundings.host(domain.domain) : undefined
    this.#newId()
    this.claimed = header.from
    this.lang = header.lang ?? ''
    if (this.#host && host !== this.#host)
      throw new StreamError('host-unknown', 'the stream was for another host')
    if (!host) throw new StreamError('host-unknown')
    this.#host = host
    this.domain = host.domain
    this.#greet(host.domain)
    checkHeader(header, this.account)
    this.#state = 'open'
    this.offer()
  }

  #newId(): void {
    this.id = this.#surroundings.random.id()
    this.#greeted = false
  }

  #greet(domain: string): void {
    if (this.id === '') this.#newId()
    const to = Jid.tryParse(this.claimed)?.bare.text
    this.write(greeting(this.framing, { id: this.id, from: domain, to }))
    this.#greeted = true
  }

  #negotiate(element: Element): void | Promise<void> {
    if (this.#state !== 'open') throw new StreamError('not-well-formed', 'no stream header')
    const candidates = this.account ? (this.#host?.features() ?? []) : this.#offered
    return featureFor(element, candidates).negotiate(element, this)
  }

  #stanza(stanza: Stanza): void | Promise<void> {
    if (this.session) return this.session.receive(stanza)
    if (this.#state !== 'open') throw new StreamError('not-authorized')
    return answerUnbound(stanza, this, this.#host?.features() ?? [])
  }

  #end(error: Error | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#deadline.met()
    this.#turns.stop()
    this.flow.stop()
    this.#reader.stop()
    for (const feature of this.#host?.features() ?? []) feature.closed?.(this)
    this.session?.detached(this, error)
    this.#surroundings.ended(this)
  }
}
