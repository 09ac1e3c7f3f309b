// A connection over TCP, in clear or under TLS: STARTTLS (RFC 6120 §5) and direct TLS (XEP-0368) both
// lay TLS over the socket, and the transport goes on with the upper one.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { StreamError } from '../xmpp/errors.js'
import {
  OPEN,
  SECURING,
  readerOf,
  SocketTransport,
  type TransportTerms,
} from './socket-transport.js'
import { ConnectionTls, startTls, type TlsTerms } from './tls.js'
import type { Remote, TlsFacts } from './transport.js'

export interface TcpTerms extends TransportTerms {
  readonly tls: TlsTerms
  readonly handshakeTimeout: number
}

interface Handshake {
  resolve(facts: TlsFacts): void
  reject(error: Error): void
}

export class TcpTransport extends SocketTransport {
  readonly framing = 'stream'
  declare readonly terms: TcpTerms
  #handshake: Handshake | undefined

  constructor(socket: Socket, remote: Remote, terms: TcpTerms) {
    super(socket, remote, terms)
    this.own(socket)
  }

  received(chunk: Buffer): void {
    if (this.state === OPEN) this.receiver.bytes(chunk)
  }

  secure(): Promise<TlsFacts> {
    if (this.tls || this.state !== OPEN)
      return Promise.reject(new StreamError('undefined-condition', 'no TLS now'))
    this.flush()
    return this.handshake()
  }

  /** `rest` came with the header of a proxy and is the beginning of the handshake. */
  handshake(rest?: Buffer): Promise<TlsFacts> {
    return new Promise((resolve, reject) => {
      this.#handshake = { resolve, reject }
      this.#layTls(rest)
    })
  }

  #layTls(rest: Buffer | undefined): void {
    const plain = this.socket
    this.state = SECURING
    plain.pause()
    // RFC 6120 §5.4.3.3: what came in clear before TLS is not taken over (SEC-12).
    if (plain.readableLength > 0) plain.read()
    if (rest && rest.length > 0) plain.unshift(rest)
    this.disown(plain)
    const secured = startTls(plain, this.terms.tls)
    this.own(secured)
    secured.on('secure', onSecure)
    secured.on('data', onData)
    this.watchFor(this.terms.handshakeTimeout)
  }

  secured(socket: TLSSocket): void {
    socket.off('secure', onSecure)
    if (this.state !== SECURING) return
    this.state = OPEN
    this.tls = new ConnectionTls(socket, this.terms.tls.certificates)
    if (this.paused) socket.pause()
    this.flush()
    this.#handshake?.resolve(this.tls)
    this.#handshake = undefined
  }

  override close(): void {
    // Nobody can be told anything in the middle of a handshake.
    if (this.state === SECURING) this.destroy()
    else super.close()
  }

  override closed(): void {
    const handshake = this.#handshake
    this.#handshake = undefined
    super.closed()
    handshake?.reject(new StreamError('undefined-condition', 'the TLS handshake failed'))
  }
}

/** For whoever accepts sockets: what comes in clear goes to the transport of the socket. */
export function onData(this: Socket, chunk: Buffer): void {
  readerOf(this)?.received(chunk)
}

function onSecure(this: TLSSocket): void {
  const transport = readerOf(this)
  if (transport instanceof TcpTransport) transport.secured(this)
}
