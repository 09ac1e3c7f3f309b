// A stanza with the addresses we trust, where it came from and when. Immutable: changing it means
// a new one. Code reads addresses here, never from the XML attributes. Annotations are children
// that only one account is shown (that archive's stanza-id, a delay): the side that delivers adds
// them, and they are never part of what is stored or forwarded.

import type { Wire } from './element.js'
import type { Jid } from './jid.js'
import type { Stanza } from './stanza.js'

/** Where a stanza entered: a client of ours, another server, a component, or the server itself. */
export type Origin = 'client' | 'server' | 'component' | 'local'

interface EnvelopeParts {
  stanza: Stanza
  from: Jid
  to: Jid
  origin: Origin
  arrived: number
  /** False where a client named no recipient (RFC 6120 §10.3): `to` is then its own bare address. */
  addressed?: boolean
  logId?: number
  said?: number
}

export class Envelope {
  readonly stanza: Stanza
  readonly from: Jid
  readonly to: Jid
  readonly origin: Origin
  /** Milliseconds since 1970 */
  readonly arrived: number
  readonly addressed: boolean
  /** Its number in the recipient's message log, 0 where it is not there */
  readonly logId: number
  /** Its number in the log of the room that it is from, 0 where it is not there */
  readonly said: number
  readonly annotations: Wire
  #rendered: Wire | undefined

  constructor(parts: EnvelopeParts, annotations: Wire = '') {
    this.stanza = parts.stanza
    this.from = parts.from
    this.to = parts.to
    this.origin = parts.origin
    this.arrived = parts.arrived
    this.addressed = parts.addressed !== false
    this.logId = parts.logId ?? 0
    this.said = parts.said ?? 0
    this.annotations = annotations
  }

  with(changes: Partial<EnvelopeParts>): Envelope {
    return new Envelope(
      {
        stanza: changes.stanza ?? this.stanza,
        from: changes.from ?? this.from,
        to: changes.to ?? this.to,
        origin: changes.origin ?? this.origin,
        arrived: changes.arrived ?? this.arrived,
        addressed: changes.addressed ?? this.addressed,
        logId: changes.logId ?? this.logId,
        said: changes.said ?? this.said,
      },
      this.annotations,
    )
  }

  /** Without what only its recipient is shown */
  get unlabelled(): Envelope {
    return this.annotations === '' ? this : new Envelope(this)
  }

  annotated(child: Wire): Envelope {
    return new Envelope(this, this.annotations + child)
  }

  /** The text a recipient gets under a stream of 'jabber:client'; made once however many get it. */
  get wire(): Wire {
    const rendered = this.#rendered
    if (rendered !== undefined) return rendered
    return (this.#rendered = this.stanza.render(this.from.attr, this.to.attr, this.annotations))
  }

  /** The same where each message stands alone and must name its namespace (RFC 7395 §3.3.3). */
  wireFor(xmlns: Wire): Wire {
    return this.stanza.render(this.from.attr, this.to.attr, this.annotations, xmlns)
  }
}
