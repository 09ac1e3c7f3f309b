// One client connection: bytes out, stanzas in, over TCP, direct TLS, STARTTLS or WebSocket.
// Everything that is sent is a latin1 string of one element. The receiver is replaced as the
// conversation goes on: first the login, then the scenario. Only 127.0.0.0/8 is ever dialled.
import { type Socket, connect as tcpConnect } from 'node:net'
import { createSecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { FrameReader, textFrame } from './frames.js'
import { Scanner } from './scanner.js'

export const TRANSPORTS = ['tcp', 'tls', 'starttls', 'websocket'] as const
export type Transport = (typeof TRANSPORTS)[number]

export type Target = {
  address: string
  port: number
  domain: string
  transport: Transport
  /** Where the server speaks RFC 7395, for `websocket`. */
  path: string
  /** Of several nodes, instead of the one port. */
  ports?: readonly number[]
  /** The two of a pair (numbers 0 and 1, 2 and 3, ...) are on different ones. */
  apart?: boolean
}

/** Pairs go to one node after the other. */
export function portFor(index: number, { port, ports = [port], apart = false }: Target): number {
  return ports[((index >> 1) + (apart ? index & 1 : 0)) % ports.length]!
}

export interface Receiver {
  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void
  lost(connection: Connection, why: string): void
  /** Everything that one read brought has been handed over. */
  drained?(): void
}

/** What TLS a client speaks: one for all, as a client has one for all its accounts. */
const secureContext = createSecureContext()
const SESSIONS_PER_ADDRESS = 20_000
const shared = Buffer.allocUnsafe(1 << 16)
const STREAMS = 'http://etherx.jabber.org/streams'
const LETTER = { i: 0x69, m: 0x6d, p: 0x70, r: 0x72 }

export class Connection {
  readonly index: number
  readonly target: Target
  receiver: Receiver
  /** Stream management is on: stanzas are counted, and requests answered (XEP-0198 §4). */
  managed = false
  /** By which the stream may be resumed (XEP-0198 §5), and whether this one is a resumed one. */
  resumption = ''
  resumed = false
  /** With which this installation of a client logs in the next time (XEP-0484 §3) */
  token = ''
  agent = ''
  handled = 0
  /** By which TLS is taken up again, as clients do (RFC 8446 §2.2): the last ticket. */
  ticket: Buffer | undefined
  /** Texts that were sent in this turn and are not written yet. */
  private out = ''
  private socket: Socket
  private reader: Scanner | FrameReader
  private readonly framed: boolean
  private upgrading = ''
  private closed = false

  constructor(index: number, target: Target, receiver: Receiver, ticket?: Buffer) {
    if (!target.address.startsWith('127.'))
      throw new RangeError('the generator dials loopback only')
    this.index = index
    this.target = target
    this.receiver = receiver
    this.ticket = ticket
    this.framed = target.transport === 'websocket'
    this.reader = this.framed ? new FrameReader(this) : new Scanner(this)
    this.socket = target.transport === 'tls' ? this.dialTls() : this.dial()
    this.socket.setNoDelay(true)
    this.watch()
  }

  private where() {
    const { address } = this.target
    const port = portFor(this.index, this.target)
    const localAddress = `127.0.0.${1 + Math.floor(this.index / SESSIONS_PER_ADDRESS)}`
    return { host: address, port, localAddress }
  }

  /** A read buffer shared by all sockets: reads are handed over before the next one happens. */
  private readonly onread = {
    buffer: shared,
    callback: (length: number, bytes: Uint8Array) => {
      this.received(bytes as Buffer, length)
      return true
    },
  }

  private dial(): Socket {
    const starttls = this.target.transport === 'starttls'
    const socket = tcpConnect(
      starttls ? this.where() : { ...this.where(), onread: this.onread },
      () => this.connected(),
    )
    if (starttls) socket.on('data', (bytes) => this.received(bytes, bytes.length))
    return socket
  }

  private dialTls(): Socket {
    const socket = tlsConnect(
      { ...this.where(), ...this.terms(), onread: this.onread } as never,
      () => this.connected(),
    )
    return this.keepTicket(socket)
  }

  private terms() {
    const { ticket, target } = this
    const options = { secureContext, servername: target.domain, rejectUnauthorized: false }
    return { ...options, ...(ticket && { session: ticket }) }
  }

  private keepTicket(socket: TLSSocket): TLSSocket {
    return socket.on('session', (ticket) => {
      this.ticket = ticket
    })
  }

  private watch(): void {
    this.socket.on('error', (error) => this.fail(error.message))
    this.socket.on('close', () => this.fail('the server closed the connection'))
  }

  private connected(): void {
    if (!this.framed) {
      this.openStream()
      return
    }
    const { address, port, path } = this.target
    const key = Buffer.alloc(16, this.index).toString('base64')
    this.upgrading = ' '
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${address}:${port}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
        'Sec-WebSocket-Protocol: xmpp\r\n\r\n',
    )
  }

  openStream(): void {
    const to = this.target.domain
    if (this.framed) {
      this.write(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${to}' version='1.0'/>`)
      return
    }
    this.write(
      `<?xml version='1.0'?><stream:stream to='${to}' version='1.0' xmlns='jabber:client' xmlns:stream='${STREAMS}'>`,
    )
  }

  restartStream(): void {
    if (this.reader instanceof Scanner) this.reader.restart()
    this.openStream()
  }

  upgradeToTls(): void {
    if (this.reader instanceof Scanner) this.reader.restart()
    const clear = this.socket
    clear.removeAllListeners('data')
    const socket = tlsConnect({ socket: clear, ...this.terms() }, () => this.openStream())
    this.socket = this.keepTicket(socket)
    this.socket.on('data', (bytes) => this.received(bytes, bytes.length))
    this.watch()
  }

  /** Queues one element; `flush` writes what was queued in one call. */
  send(element: string): void {
    this.out += this.framed ? textFrame(withNamespace(element)) : element
  }

  write(element: string): void {
    this.send(element)
    this.flush()
  }

  flush(): void {
    const text = this.out
    this.out = ''
    if (text !== '' && !this.closed) this.socket.write(text, 'latin1')
  }

  /** Stops reading: what the server sends then fills the buffers in between. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(): void {
    if (this.closed) return
    this.write(
      this.framed ? "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>" : '</stream:stream>',
    )
    this.closed = true
    this.socket.destroySoon()
  }

  private received(bytes: Buffer, length: number): void {
    if (this.closed) return
    if (this.upgrading !== '') {
      this.readUpgrade(bytes.toString('latin1', 0, length))
      return
    }
    this.reader.feed(bytes, length)
    this.receiver.drained?.()
    this.flush()
  }

  private readUpgrade(text: string): void {
    this.upgrading += text
    if (!this.upgrading.includes('\r\n\r\n')) return
    if (!this.upgrading.startsWith(' HTTP/1.1 101')) {
      this.fail(`no WebSocket: ${this.upgrading.split('\r\n')[0]}`)
      return
    }
    this.upgrading = ''
    this.openStream()
  }

  stanza(bytes: Buffer, start: number, end: number): void {
    if (this.managed && this.isRequest(bytes[start + 1]!)) {
      this.send(`<a xmlns='urn:xmpp:sm:3' h='${this.handled}'/>`)
      return
    }
    this.receiver.stanza(this, bytes, start, end)
  }

  private isRequest(letter: number): boolean {
    if (letter === LETTER.m || letter === LETTER.p || letter === LETTER.i) this.handled++
    return letter === LETTER.r
  }

  streamClosed(): void {
    this.fail('the server closed the stream')
  }

  reply(frame: string): void {
    this.socket.write(frame, 'latin1')
  }

  fail(why: string): void {
    if (this.closed) return
    this.closed = true
    this.socket.destroy()
    this.receiver.lost(this, why)
  }
}

/** A frame is a document of its own (RFC 7395 §3.3.3): stanzas name the namespace that the stream's header carries elsewhere. */
function withNamespace(element: string): string {
  const name = /^<(message|presence|iq)/.exec(element)?.[0]
  return name ? `${name} xmlns='jabber:client'${element.slice(name.length)}` : element
}
