// What a server writes, as elements: an independent parser (saxes), strict about namespaces and
// UTF-8, so that anything the server forwards must be XML to somebody else too. The opening tag of a
// stream comes as an element without children, then everything one level below it.

import { SaxesParser, type SaxesTagNS } from 'saxes'
import { Element } from '../../lib/xmpp/element.js'

export class Answers {
  closed = false
  readonly #give: (element: Element) => void
  readonly #parser = new SaxesParser({ xmlns: true, fragment: false })
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #open: Element[] = []

  constructor(give: (element: Element) => void) {
    this.#give = give
    this.#parser.on('error', (error) => {
      throw new Error(`the server wrote what is no XML: ${error.message}`)
    })
    this.#parser.on('opentag', (tag) => this.#opened(tag as SaxesTagNS))
    this.#parser.on('closetag', () => this.#ended())
    this.#parser.on('text', (text) => void this.#open.at(-1)?.children.push(text))
    this.#parser.on('cdata', (text) => void this.#open.at(-1)?.children.push(text))
  }

  write(chunk: Buffer): void {
    const text = this.#decoder.decode(chunk, { stream: true })
    if (!this.closed) this.#parser.write(text)
    else if (text.trim() !== '') throw new Error(`after the end of the stream: ${text}`)
  }

  #opened(tag: SaxesTagNS): void {
    const attributes = Object.entries(tag.attributes).map(([name, { value }]) => [name, value])
    const element = new Element(tag.name, Object.fromEntries(attributes))
    element.parent = this.#open.at(-1) ?? null
    if (this.#open.length === 0) this.#give(element)
    this.#open.push(element)
  }

  #ended(): void {
    const element = this.#open.pop()!
    if (this.#open.length === 0) this.closed = true
    else if (this.#open.length === 1) this.#give(element)
    else this.#open.at(-1)!.children.push(element)
  }
}

/** One message of a WebSocket: one whole element. */
export function wholeElement(text: string): Element {
  const found: Element[] = []
  const answers = new Answers((element) => found.push(element))
  // Around it: a root for it to be one level below of.
  answers.write(Buffer.from(`<message-of-websocket>${text}</message-of-websocket>`))
  const [, element, more] = found
  if (!element || more) throw new Error(`not one element: ${text}`)
  if (element.attrs.xmlns === undefined && !element.name.includes(':'))
    throw new Error(`a message names its namespace itself (RFC 7395 §3.3.3): ${text}`)
  return element
}
