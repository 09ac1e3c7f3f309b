// What makes a session outlive its stream. The core knows that something may count what a client sends
// and keep what it is sent; how that is negotiated and spoken is a module's affair.

import type { Brief } from '../net/xml-unit.js'
import type { Row } from '../storage/writes.js'
import type { Envelope } from '../xmpp/envelope.js'

export interface Keeper {
  /** The row by which this many stanzas of the client are on disk as handled. */
  mark(count: number): { table: string; row: Row }
  /** So many are on disk and done; the count never goes back. */
  committed(count: number): void
  /** The client says something beside its stanzas; whether it was understood. */
  told(brief: Brief): boolean
  /** Takes over what the session is sent, with a stream or without. */
  write(envelope: Envelope): void
  /** What its client has not acknowledged, oldest first; without what is in the log of its account alone */
  owed(): Iterable<Envelope>
  /** It takes no more than it must: what comes beside the log goes to another device, or back. */
  readonly full: boolean
  /** Whether it takes more of what a session missed; who says no has the session go on later. */
  room(): boolean
  /** Nothing is left of what the session was behind with; what comes next is written to it at once. */
  caughtUp(): void
  /** The stream is gone; whether the session stays for another one. */
  lingers(error: Error | undefined): boolean
  /** What the session's row has of the modules' part is out of date. */
  changed(): void
  /** The session is gone. */
  ended(): void
  /** It goes on on another node: nothing more is written of it here. */
  moved(): void
}
