// Ports for XMPP over TCP. An accepted socket passes the limits of its address and, where a trusted
// proxy stands before us, the proxy's header; then a transport is made of it and handed over: at once,
// or after the handshake where TLS comes first (XEP-0368).

import { createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '../ops/clock.js'
import { plainAddress } from './addresses.js'
import type { Certificates } from './certificate-store.js'
import type { ConnectionLimits } from './connection-limits.js'
import { Door } from './door.js'
import { type Listener, listenOn, type Place, portOf, stopListening } from './listener.js'
import { type Arrival, ProxyGate } from './proxy-gate.js'
import { takeConnections } from './raw-socket.js'
import { defaultTerms, setReader, type Stall } from './socket-transport.js'
import { onData, type TcpTerms, TcpTransport } from './tcp-transport.js'
import { type TlsTerms, tlsTerms } from './tls.js'
import type { Remote, Transport } from './transport.js'
import type { TrustedProxies } from './trusted-proxies.js'
import type { Watch } from './watch.js'

export type { Listener } from './listener.js'

export interface ListenOptions extends Place {
  tls: 'none' | 'starttls' | 'direct'
  /** With direct TLS: 'xmpp-client' or 'xmpp-server'; a client that offers only others is refused. */
  alpn?: string
  certificates: Certificates
  /** Undefined: none */
  limits: ConnectionLimits | undefined
  proxies: TrustedProxies
  stall?: Stall
  requestClientCertificate?: boolean
  handshakeTimeout?: number
  watch?: Watch
  /** Shared by all listeners of a server */
  door?: Door
  accept(transport: Transport): void
}

export async function listenTcp(options: ListenOptions): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  const acceptor = new Acceptor(options)
  await listenOn(server, options, () => {
    const { door = new Door({ clock: systemClock }) } = options
    takeConnections(server, { door, read: onData, accept: (socket) => acceptor.arrived(socket) })
  })
  return new TcpListener(server)
}

class TcpListener implements Listener {
  readonly port: number
  #server: Server

  constructor(server: Server) {
    this.#server = server
    this.port = portOf(server)
  }

  close(): Promise<void> {
    return stopListening(this.#server)
  }
}

const KEEP_ALIVE = 120_000
const HANDSHAKE_TIMEOUT = 10_000

class Acceptor implements TcpTerms {
  readonly stall: Stall
  readonly watch: Watch
  readonly closeTimeout = defaultTerms.closeTimeout
  readonly handshakeTimeout: number
  readonly tls: TlsTerms
  #options: ListenOptions

  constructor(options: ListenOptions) {
    this.#options = options
    this.stall = options.stall ?? defaultTerms.stall
    this.watch = options.watch ?? defaultTerms.watch
    this.handshakeTimeout = options.handshakeTimeout ?? HANDSHAKE_TIMEOUT
    const alpn = options.tls === 'direct' && options.alpn !== undefined ? [options.alpn] : undefined
    this.tls = tlsTerms(options.certificates, alpn, options.requestClientCertificate)
  }

  arrived(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    // Gone before we looked
    if (address === undefined) return void socket.destroy()
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE)
    const remote = { address, port: socket.remotePort ?? 0, proxied: false }
    if (this.#options.proxies.trusts(address)) this.#behindProxy(socket, remote)
    else this.#begin(socket, remote)
  }

  gone(transport: TcpTransport): void {
    this.#options.limits?.release(transport.remote.address)
  }

  #behindProxy(socket: Socket, peer: Remote): void {
    const terms = { watch: this.watch, timeout: this.handshakeTimeout }
    const gate = new ProxyGate(socket, peer, terms, (arrival) =>
      this.#begin(socket, arrival.remote, arrival),
    )
    setReader(socket, gate)
  }

  #begin(socket: Socket, remote: Remote, arrival?: Arrival): void {
    if (this.#options.limits?.admit(remote.address) === false) return void socket.destroy()
    const transport = new TcpTransport(socket, remote, this)
    if (this.#options.tls === 'direct') this.#secureFirst(transport, arrival?.rest)
    else this.#handOver(transport, arrival)
  }

  #handOver(transport: TcpTransport, arrival: Arrival | undefined): void {
    transport.tls = arrival?.tls
    this.#options.accept(transport)
    if (arrival && arrival.rest.length > 0) transport.received(arrival.rest)
  }

  #secureFirst(transport: TcpTransport, rest: Buffer | undefined): void {
    transport.handshake(rest).then(
      () => this.#options.accept(transport),
      // Who fails at the door was nobody yet.
      () => {},
    )
  }
}
