// Stream features: what a stream offers in <stream:features/> and who answers the elements that
// belong to it (RFC 6120 §4.3.2). A feature decides from the stream's state whether it is offered
// now; before login an element is only taken by a feature that was offered (SEC-23).

import type { Element } from '../xmpp/element.js'
import type { Jid } from '../xmpp/jid.js'
import type { TlsFacts } from '../net/transport.js'
import type { StreamError } from '../xmpp/errors.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { BoundSession } from './surroundings.js'

/** What a feature sees of its stream. */
export interface NegotiatingStream {
  /** The host named in the stream header; it never changes during one stream (SEC-11). */
  readonly domain: string
  /** Random and unguessable, new with every stream header */
  readonly id: string
  readonly lang: string
  readonly remoteAddress: string
  readonly framing: 'stream' | 'message'
  readonly tls: TlsFacts | undefined
  /** TLS, or clear text that the configuration allows or that never leaves this machine. */
  readonly secured: boolean
  /** Bare, once authenticated */
  readonly account: Jid | undefined
  readonly session: BoundSession | undefined
  /** `from` of the client's stream header (RFC 6120 §4.7.1): a hint, never a proof. */
  readonly claimed: string | undefined
  /** Facts that features leave for each other on this stream, keyed by the feature's own symbol. */
  readonly memo: Map<symbol, unknown>

  send(element: Element): void
  /**
   * The login succeeded. RFC 6120 §6.4.6 restarts the stream; SASL2 does not, it sends features: at
   * once, or ('later') when `offer` is called.
   */
  authenticated(account: Jid, next: 'restart' | 'features' | 'later'): void
  /** Sends <stream:features/> as they are now. */
  offer(): void
  /** One login attempt failed; a stream allows a few (RFC 6120 §6.4.5). */
  loginFailed(guess: boolean): void
  /** Binds a resource: the one asked for, or one of the server's making. */
  bind(resource: string | undefined): Promise<BoundSession>
  /** STARTTLS: drops what was read, sends `proceed`, becomes TLS and expects a new stream. */
  secure(proceed: Element): Promise<void>
  close(error?: StreamError): void
}

/** Requests (iq) that may come before login, the only stanzas that may (RFC 6120 §4.9.3.12). */
export interface EarlyRequests {
  /** Of their one child, as `{namespace}name` */
  readonly accepts: readonly string[]
  /** The child of the result, nothing for an empty one; throws StanzaError to refuse. */
  answer(
    stanza: Stanza,
    stream: NegotiatingStream,
  ): Element | undefined | void | Promise<Element | undefined | void>
}

export interface StreamFeature {
  /** For messages and the log */
  readonly name: string
  /** Its element in <stream:features/>, or undefined while it is not to be had. */
  advertise(stream: NegotiatingStream): Element | undefined
  /** The elements it answers, as `{namespace}name`. */
  readonly accepts: readonly string[]
  /** The stream takes nothing further from the client until this is done. */
  negotiate(element: Element, stream: NegotiatingStream): void | Promise<void>
  /** Asked whether the feature is offered or not: it refuses what it does not offer. */
  readonly requests?: EarlyRequests
  /** Our closing tag is next, and no error: the last moment at which anything is written. */
  ending?(stream: NegotiatingStream): void
  /** The stream ended: forget what was kept outside of it. */
  closed?(stream: NegotiatingStream): void
}
