// What a stream needs from above: the core gives it a host to log in to and a session to talk to, and
// a stream knows neither the server nor its modules.

import type { Brief } from '../net/xml-unit.js'
import type { Clock } from '../ops/clock.js'
import type { Random } from '../ops/random.js'
import type { Jid } from '../xmpp/jid.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { ClientStream } from './client-stream.js'
import type { StreamFeature } from './negotiation.js'

/** What the core binds to a stream. */
export interface BoundSession {
  readonly jid: Jid
  receive(stanza: Stanza): void
  /** A short word that is no stanza; whether it was understood. */
  told(brief: Brief): boolean
  /** Resolves when what was received is decided and answered; undefined where it is. */
  drained(): Promise<void> | undefined
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
  /** Whether clients may send as fast as they like: benchmarks. */
  readonly unlimited: boolean
  host(domain: string): StreamHost | undefined
  /** Work that stopping must wait for */
  pending(work: Promise<void>): void
  /** A bug in a feature: logged in one place. */
  failed(error: unknown): void
  ended(stream: ClientStream): void
}
