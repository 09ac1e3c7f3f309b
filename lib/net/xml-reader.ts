// Bytes to stanzas: strict XML for every transport, with limits.

import type { Element } from '../xmpp/element.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { XmlLimits } from './xml-limits.js'

export interface StreamHeader {
  readonly to?: string
  readonly from?: string
  readonly id?: string
  readonly version?: string
  readonly lang?: string
  /** The content namespace */
  readonly xmlns: string
  readonly prefixes: ReadonlyMap<string, string>
}

export interface XmlSink {
  /** `<stream:stream …>`, or `<open/>` (RFC 7395 §3.4) */
  opened(header: StreamHeader): void
  /** A message, presence or iq in the content namespace */
  stanza(stanza: Stanza): void
  /** Any other element at depth 1, whole: features, SASL, stream management, … */
  element(element: Element): void
  /** `</stream:stream>`, or `<close/>` */
  closed(): void
}

export type ContentNamespace = 'jabber:client' | 'jabber:server' | 'jabber:component:accept'

export interface XmlReaderOptions {
  framing: 'stream' | 'message'
  content: ContentNamespace
  limits: XmlLimits
}

export class XmlReader {
  limits: XmlLimits

  constructor(_sink: XmlSink, options: XmlReaderOptions) {
    this.limits = options.limits
  }

  write(_chunk: Buffer): void {}

  message(_chunk: Buffer): void {}

  reset(): void {}

  stop(): void {}

  get buffered(): number {
    return 0
  }
}
