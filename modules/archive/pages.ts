// Pages of an archive for whoever shows one: an account's own, or one that another module has in the log (a
// room's). What a query means is the same everywhere; who may ask, and how its results travel, is not known here.

import type { Logged, MessageLog } from '../../lib/storage/message-log.js'
import type { Element, Wire } from '../../lib/xmpp/element.js'
import { xml } from '../../lib/xmpp/element.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'
import type { Fields } from './fields.js'
import { metadata } from './metadata.js'
import { type ArchiveQuery, type QueryTerms, readQuery } from './query.js'
import { findPage, shortened } from './reading.js'
import { fin, result } from './results.js'

export interface ShownPage {
  /** In the order in which they are shown */
  readonly messages: readonly Logged[]
  readonly queryId: string | undefined
  readonly fin: Element
}

export class ArchivePages {
  readonly #log: MessageLog
  readonly #terms: QueryTerms & { seal(number: number): string }

  constructor(log: MessageLog, terms: QueryTerms & { seal(number: number): string }) {
    this.#log = log
    this.#terms = terms
  }

  get #fields(): Fields {
    return this.#terms.fields
  }

  /** Of fields that other modules add (XEP-0030) */
  get features(): readonly string[] {
    return this.#fields.features
  }

  /** XEP-0313 §4.1.5 */
  form(): Element {
    return xml('query', NS_ARCHIVE, this.#fields.form())
  }

  /** Throws StanzaError for what cannot be asked. */
  read(element: Element): ArchiveQuery {
    return readQuery(element, this.#terms)
  }

  /** XEP-0313 §4 */
  async page(owner: number, query: ArchiveQuery): Promise<ShownPage> {
    const { backwards, flipped, queryId } = query
    const found = shortened(await findPage(this.#log, owner, query), backwards)
    const messages = flipped ? [...found.messages].reverse() : found.messages
    return { messages, queryId, fin: fin(found, this.#terms.seal) }
  }

  /** XEP-0313 §5 */
  metadata(owner: number): Promise<Element> {
    return metadata(this.#log, owner, this.#terms.seal)
  }

  /** A message as a page shows it (XEP-0313 §4.2); an address that is '' is left out. */
  result(logged: Logged, queryId: string | undefined): Wire {
    return result(logged, { seal: this.#terms.seal, queryId })
  }
}
