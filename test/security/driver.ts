// One way to write a check for both ways in: a peer that speaks XMPP over a real TCP socket or a
// real WebSocket, says what no client would say, and sees what comes back, to the very end.

import type { Socket } from 'node:net'
import type { Element } from '../../lib/xmpp/element.js'
import { dial, dialTls } from '../net/ports.js'
import {
  CLOSE,
  closeCode,
  frame,
  TEXT,
  upgradeRequest,
  WebSocketPeer,
} from '../net/websocket-client.js'
import { Answers, wholeElement } from './answers.js'

export const ways = ['TCP', 'WebSocket'] as const
export type Way = (typeof ways)[number]

export const NS_STREAMS = 'http://etherx.jabber.org/streams'
const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
/** Nothing here takes so long: who waits longer waits for ever. */
const PATIENCE = 20_000

export interface OpenOptions {
  from?: string
  /** Further attributes as text */
  more?: string
}

export abstract class Peer {
  abstract readonly way: Way
  socket: Socket
  /** What came and was not taken; the header of a stream is an element too. */
  readonly inbox: Element[] = []
  ended = false
  closeCode: number | undefined
  #wake: () => void = () => {}
  #ids = 0

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** As it stands: bytes of TCP, or one message of a WebSocket. */
  abstract raw(bytes: Buffer | string): void
  abstract header(to: string, options?: OpenOptions): string
  abstract readonly closing: string

  opens(to: string, options?: OpenOptions): void {
    this.raw(this.header(to, options))
  }

  /** One stanza; over WebSocket it says its namespace, as every message must. */
  sends(xml: string): void {
    const named = this.way === 'TCP' || /^<[^>]*?\sxmlns=/.test(xml)
    this.raw(named ? xml : xml.replace(/^<([\w]+)/, "<$1 xmlns='jabber:client'"))
  }

  /** The next element; undefined where the connection ended instead. */
  async next(): Promise<Element | undefined> {
    await this.waits(() => this.inbox.length > 0 || this.ended)
    return this.inbox.shift()
  }

  /** The next of this name; what comes before is passed over. */
  async finds(name: string): Promise<Element> {
    for (;;) {
      const element = await this.next()
      if (!element) throw new Error(`the connection ended before <${name}/>`)
      if (element.getName() === name) return element
      if (element.name === 'stream:error') throw new Error(`no <${name}/> but ${element}`)
    }
  }

  async asks(type: 'get' | 'set', to: string | undefined, child: string): Promise<Element> {
    const id = `asked-${++this.#ids}`
    this.sends(`<iq type='${type}' id='${id}'${to ? ` to='${to}'` : ''}>${child}</iq>`)
    const answered = (element: Element) => element.is('iq') && element.attrs.id === id
    await this.waits(() => this.ended || this.inbox.some(answered))
    const at = this.inbox.findIndex(answered)
    if (at < 0) throw new Error(`no answer to ${child}`)
    return this.inbox.splice(at, 1)[0]!
  }

  /** The condition of the stream error that ends it; 'none' where it ends without a word. */
  async condition(): Promise<string> {
    let condition = 'none'
    for (let element = await this.next(); element; element = await this.next()) {
      if (element.name === 'stream:error') condition = nameOf(element)
    }
    return condition
  }

  async waits(until: () => boolean): Promise<void> {
    const end = setTimeout(() => this.#wake(), PATIENCE)
    const limit = Date.now() + PATIENCE
    while (!until()) {
      if (Date.now() >= limit) throw new Error(`nothing for too long: ${this.inbox.join(' ')}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(end)
  }

  drop(): void {
    this.socket.destroy()
  }

  protected came(element: Element): void {
    this.inbox.push(element)
    this.#wake()
  }

  protected over(): void {
    this.ended = true
    this.#wake()
  }
}

export class TcpPeer extends Peer {
  readonly way = 'TCP'
  readonly closing = '</stream:stream>'
  #answers = new Answers((element) => this.came(element))

  constructor(socket: Socket) {
    super(socket)
    this.#listen()
  }

  raw(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  }

  header(to: string, { from, more = '' }: OpenOptions = {}): string {
    const who = from === undefined ? '' : ` from='${from}'`
    return `<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}' version='1.0' to='${to}'${who}${more}>`
  }

  /** RFC 6120 §5.4; `injected` is sent in clear, in the segment that asks for TLS. */
  async secures(to: string, { injected = '', ...tls }: SecureOptions = {}): Promise<void> {
    this.opens(to)
    await this.finds('features')
    this.raw(`<starttls xmlns='${NS_TLS}'/>${injected}`)
    await this.finds('proceed')
    const plain = this.socket
    for (const event of ['data', 'end', 'close']) plain.removeAllListeners(event)
    this.socket = await dialTls({ socket: plain, servername: to, ...tls })
    this.#listen()
  }

  #take(chunk: Buffer): void {
    const at = chunk.indexOf(DECLARATION)
    if (at < 0) return void this.#answers.write(chunk)
    if (at > 0) this.#answers.write(chunk.subarray(0, at))
    this.#answers = new Answers((element) => this.came(element))
    this.#answers.write(chunk.subarray(at, at + DECLARATION.length))
    this.#take(chunk.subarray(at + DECLARATION.length))
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.socket.on('end', () => {
      this.over()
      this.socket.end()
    })
    this.socket.on('close', () => this.over())
  }
}

/** What a server writes before a new stream on the same connection: a document of its own. */
const DECLARATION = '<?xml '

export interface SecureOptions {
  injected?: string
  maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  cert?: string
  key?: string
}

export class WebPeer extends Peer {
  readonly way = 'WebSocket'
  readonly closing = `<close xmlns='${NS_FRAMING}'/>`
  readonly #frames: WebSocketPeer

  constructor(frames: WebSocketPeer) {
    super(frames.socket)
    this.#frames = frames
    this.#read().catch((error) => this.socket.destroy(error))
  }

  raw(bytes: Buffer | string): void {
    this.socket.write(frame(Buffer.from(bytes as string), 0x80 | TEXT))
  }

  /** A frame of any kind */
  frame(text: string, options: { opcode?: number; final?: boolean; reserved?: number }): void {
    this.#frames.send(text, options)
  }

  header(to: string, { from, more = '' }: OpenOptions = {}): string {
    const who = from === undefined ? '' : ` from='${from}'`
    return `<open xmlns='${NS_FRAMING}' version='1.0' to='${to}'${who}${more}/>`
  }

  async #read(): Promise<void> {
    for (let got = await this.#frames.read(); got; got = await this.#frames.read()) {
      if (got.opcode === CLOSE) {
        this.closeCode = closeCode(got)
        this.socket.end(frame(got.payload, 0x80 | CLOSE))
      } else if (got.opcode === TEXT) this.#element(got.text)
    }
    this.over()
  }

  #element(text: string): void {
    const element = wholeElement(text)
    if (element.getNS() === NS_FRAMING && element.name === 'close') return
    this.came(element)
  }
}

export async function overTcp(port: number): Promise<TcpPeer> {
  return new TcpPeer(await dial(port))
}

export async function overWebSocket(socket: Socket, headers?: Record<string, string>) {
  return new WebPeer(await WebSocketPeer.on(socket, headers))
}

export { upgradeRequest }

/** The defined condition inside of an error, a failure or a stream error. */
export function nameOf(error: Element): string {
  const inside = error.getChildElements().find((child) => child.getName() !== 'text')
  return inside?.getName() ?? 'no condition'
}

/** 'result', or the condition of an error. */
export function outcomeOf(answer: Element): string {
  const error = answer.getChild('error')
  return error ? nameOf(error) : String(answer.attrs.type)
}
