// An archive, page by page, from a known id or the beginning to the end (XEP-0313 §4, XEP-0059).

import type { Row } from './chronicle.js'
import { attribute, bare, firstTag, said } from './stanza-text.js'

const PAGE = 200
let queries = 0

export interface Pages {
  after: string | undefined
  /** Not one's own */
  to?: string
  send(iq: string): void
  row(row: Row): void
  /** undefined: all was read */
  done(failure: string | undefined): void
}

export class ArchivePages {
  readonly #pages: Pages
  #query = ''
  #last: string | undefined

  constructor(pages: Pages) {
    this.#pages = pages
    this.#ask(pages.after)
  }

  #ask(after: string | undefined): void {
    this.#query = `q${++queries}`
    const from = after === undefined ? '' : `<after>${after}</after>`
    const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>${PAGE}</max>${from}</set>`
    const query = `<query xmlns='urn:xmpp:mam:2' queryid='${this.#query}'>${set}</query>`
    const to = this.#pages.to === undefined ? '' : ` to='${this.#pages.to}'`
    this.#pages.send(`<iq type='set' id='${this.#query}'${to}>${query}</iq>`)
  }

  /** Whether the stanza is part of an answer from the archive. */
  accept(stanza: string): boolean {
    if (stanza.startsWith('<message')) return this.#result(stanza)
    if (!stanza.startsWith('<iq') || attribute(firstTag(stanza), 'id') !== this.#query) return false
    if (attribute(firstTag(stanza), 'type') === 'error') this.#pages.done(stanza)
    else if (attribute(stanza, 'complete') === 'true') this.#pages.done(undefined)
    else this.#turn(/<last>([^<]*)/.exec(stanza)?.[1])
    return true
  }

  #result(message: string): boolean {
    const [tag] = /<result\s[^>]*urn:xmpp:mam:2[^>]*>/.exec(message) ?? []
    if (!tag) return false
    if (attribute(tag, 'queryid') !== this.#query) return true
    const inner = message.slice(message.indexOf('<message', 8))
    const content = said(inner)
    if (!content) return true
    const head = firstTag(inner)
    const from = bare(attribute(head, 'from') ?? '')
    const to = bare(attribute(head, 'to') ?? '')
    this.#pages.row({ id: attribute(tag, 'id') ?? '', ...content, from, to })
    return true
  }

  #turn(last: string | undefined): void {
    if (last === undefined || last === this.#last) this.#pages.done(undefined)
    else this.#ask((this.#last = last))
  }
}
