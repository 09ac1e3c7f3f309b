// One device of a person in the world: it speaks real XML to a real stream, without a socket. Time
// does not pass by itself: `receives` first lets the server settle.

import { parseTree } from '../../lib/xmpp/tree.js'
import { type Element, fromWire, toWire, type Wire } from '../../lib/xmpp/element.js'
import type { Server } from '../../lib/core/server.js'
import { mismatch, parsePattern } from './pattern.js'
import { MemoryTransport } from './wire.js'

export interface ClientOptions {
  resource?: string
  framing?: 'stream' | 'message'
  /** Without TLS: a test of STARTTLS */
  clear?: boolean
  /** Where there are more nodes than the client's own: all of them */
  settle?: () => Promise<void>
}

const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='"
const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' to='"

export class Client {
  readonly account: string
  readonly domain: string
  readonly transport: MemoryTransport
  readonly server: Server
  jid = ''
  /** Elements not yet taken by `receives` */
  inbox: Element[] = []
  /** All that ever came, as text */
  readonly transcript: string[] = []
  streamError: Element | undefined
  closed = false
  #ids = 0
  readonly #settle: () => Promise<void>

  constructor(server: Server, account: string, options: ClientOptions = {}) {
    this.server = server
    this.account = account
    this.domain = account.slice(account.indexOf('@') + 1)
    this.#settle = options.settle ?? (() => server.settled())
    this.transport = new MemoryTransport((wire) => this.#came(wire), options)
    server.accept(this.transport)
  }

  /** Logs in through the world's own feature and binds. */
  async login(resource = 'phone'): Promise<this> {
    this.open()
    await this.settle()
    this.inbox = []
    this.transport.feed(`<login xmlns='urn:tercet:world'>${this.account}</login>`)
    await this.settle()
    this.inbox = []
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind>`
    const answer = await this.asks('set', undefined, bind)
    this.jid = answer.getChild('bind')?.getChildText('jid') ?? ''
    if (this.jid === '') throw new Error(`${this.account} could not bind: ${answer}`)
    return this
  }

  open(): void {
    const framed = this.transport.framing === 'message'
    this.transport.feed(framed ? `${OPEN}${this.domain}'/>` : `${HEADER}${this.domain}'>`)
  }

  /** Writes as it stands; in the framing of WebSocket the namespace is added where it is missing. */
  sends(xml: string): void {
    const text = xml.trim()
    const named = this.transport.framing === 'message' && !/^<[^>]*\sxmlns=/.test(text)
    this.transport.feed(named ? text.replace(/^<(\w+)/, "<$1 xmlns='jabber:client'") : text)
  }

  async settle(): Promise<void> {
    await this.#settle()
  }

  /** The next element must match; it is taken. */
  async receives(pattern: string): Promise<Element> {
    await this.settle()
    const element = this.inbox.shift()
    if (!element) throw new Error(`${this.jid} received nothing, expected ${pattern}`)
    const why = mismatch(element, parsePattern(pattern))
    if (why) throw new Error(`${this.jid} received ${element}\nexpected ${pattern}\n${why}`)
    return element
  }

  /** Takes the first element that matches, wherever it stands; others stay. */
  async finds(pattern: string): Promise<Element> {
    await this.settle()
    const wanted = parsePattern(pattern)
    const at = this.inbox.findIndex((element) => mismatch(element, wanted) === undefined)
    if (at < 0)
      throw new Error(`${this.jid} has nothing like ${pattern} among:\n${this.inbox.join('\n')}`)
    return this.inbox.splice(at, 1)[0]!
  }

  async receivesNothing(): Promise<void> {
    await this.settle()
    if (this.inbox.length > 0) throw new Error(`${this.jid} received ${this.inbox.join('\n')}`)
  }

  /** Everything that came is forgotten. */
  async clears(): Promise<void> {
    await this.settle()
    this.inbox = []
  }

  /** Sends an iq and gives its answer, result or error. */
  async asks(type: 'get' | 'set', to: string | undefined, child: string): Promise<Element> {
    const id = `world-${++this.#ids}`
    this.sends(`<iq type='${type}' id='${id}'${to ? ` to='${to}'` : ''}>${child}</iq>`)
    await this.settle()
    const at = this.inbox.findIndex((element) => element.is('iq') && element.attrs.id === id)
    if (at < 0) throw new Error(`${this.jid} got no answer to ${child}: ${this.inbox.join('\n')}`)
    return this.inbox.splice(at, 1)[0]!
  }

  /** Initial presence; what it brings back from others stays in the inbox. */
  async comesOnline(inside = ''): Promise<this> {
    this.sends(`<presence>${inside}</presence>`)
    await this.settle()
    return this
  }

  async leaves(): Promise<void> {
    this.sends(
      this.transport.framing === 'message'
        ? "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
        : '</stream:stream>',
    )
    await this.settle()
  }

  async breaks(): Promise<void> {
    this.transport.cut(new Error('the connection broke'))
    await this.settle()
  }

  #came(wire: Wire): void {
    const text = fromWire(wire)
    this.transcript.push(text)
    if (/^(<\?xml|<stream:stream|<open)/.test(text)) return
    if (/^(<\/stream:stream>|<close)/.test(text)) {
      this.closed = true
      return
    }
    const element = parseTree(
      toWire(
        text.replace(
          /^<(stream:\w+)(?=[\s>/])/,
          "<$1 xmlns:stream='http://etherx.jabber.org/streams'",
        ),
      ),
    )
    if (!element) throw new Error(`not one element: ${text}`)
    if (element.getName() === 'error' && element.name !== 'error') this.streamError = element
    else this.inbox.push(element)
  }
}
