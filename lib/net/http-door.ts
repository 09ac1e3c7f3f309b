// What a connection passes before HTTP: limits, the header of a trusted proxy, TLS. It also knows
// afterwards where a request really comes from: X-Forwarded-For and X-Forwarded-Proto count only
// from `listen.proxies` (SEC-69).

import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { plainAddress } from './addresses.js'
import type { Certificates } from './certificate-store.js'
import type { ConnectionLimits } from './connection-limits.js'
import type { HttpOrigin } from './http.js'
import { type Arrival, ProxyGate } from './proxy-gate.js'
import { startTls, type TlsTerms, tlsTerms } from './tls.js'
import type { Remote } from './transport.js'
import type { TrustedProxies } from './trusted-proxies.js'
import { sharedWatch, type Watch } from './watch.js'

export interface DoorOptions {
  certificates?: Certificates
  limits: ConnectionLimits | undefined
  proxies: TrustedProxies
  watch?: Watch
  handshakeTimeout?: number
}

const HANDSHAKE_TIMEOUT = 10_000

/** What was found out about a connection. */
interface Connection {
  readonly remote: Remote
  readonly secure: boolean
}

export class HttpDoor {
  #options: DoorOptions
  #server: Server
  #serve: (socket: Socket) => void
  #tls: TlsTerms | undefined
  #watch: Watch
  #timeout: number
  #connections = new WeakMap<object, Connection>()

  /** Stands in front of the server: its own 'connection' listener is called when all is passed. */
  constructor(server: Server, options: DoorOptions) {
    this.#options = options
    this.#server = server
    this.#tls = options.certificates && tlsTerms(options.certificates, ['http/1.1'])
    this.#watch = options.watch ?? sharedWatch
    this.#timeout = options.handshakeTimeout ?? HANDSHAKE_TIMEOUT
    this.#serve = server.listeners('connection')[0] as (socket: Socket) => void
    server.removeAllListeners('connection')
    server.on('connection', (socket) => this.#arrived(socket))
  }

  originOf(raw: IncomingMessage): HttpOrigin {
    const connection = this.#connections.get(raw.socket)
    const { remote, secure } = connection ?? { remote: nowhere, secure: false }
    if (!this.#options.proxies.trusts(remote.address)) return { remote, secure, uncounted: false }
    const address = this.#options.proxies.clientOf(header(raw, 'x-forwarded-for'), remote.address)
    const told = header(raw, 'x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase()
    const real = address === remote.address ? remote : { address, port: 0, proxied: true }
    return { remote: real, secure: secure || told === 'https', uncounted: true }
  }

  #arrived(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    if (address === undefined) return void socket.destroy()
    socket.on('error', ignore)
    const remote = { address, port: socket.remotePort ?? 0, proxied: false }
    if (this.#options.proxies.trusts(address)) this.#behindProxy(socket, remote)
    else this.#begin(socket, { remote, rest: NOTHING, tls: undefined })
  }

  #behindProxy(socket: Socket, peer: Remote): void {
    const terms = { watch: this.#watch, timeout: this.#timeout }
    const gate = new ProxyGate(socket, peer, terms, (arrival) => {
      socket.pause()
      socket.off('data', read)
      if (arrival.rest.length > 0) socket.unshift(arrival.rest)
      this.#begin(socket, arrival)
    })
    const read = (chunk: Buffer): void => gate.received(chunk)
    socket.on('data', read)
  }

  #begin(socket: Socket, { remote, tls }: Arrival): void {
    if (!this.#admit(socket, remote.address)) return void socket.destroy()
    if (this.#tls) this.#secure(socket, this.#tls, remote)
    else this.#enter(socket, { remote, secure: tls !== undefined })
  }

  // A proxy may have any number of connections; its clients are counted where they open a WebSocket.
  #admit(socket: Socket, address: string): boolean {
    const { limits, proxies } = this.#options
    if (!limits || proxies.trusts(address)) return true
    if (!limits.admit(address)) return false
    socket.once('close', () => limits.release(address))
    return true
  }

  #secure(socket: Socket, terms: TlsTerms, remote: Remote): void {
    const secured = startTls(socket, terms)
    const deadline = this.#watch.in(this.#timeout)
    let waiting = true
    secured.on('error', ignore)
    secured.once('close', () => {
      waiting = false
    })
    secured.once('secure', () => {
      waiting = false
      this.#enter(secured, { remote, secure: true })
    })
    this.#watch.add({
      check(tick) {
        if (waiting && tick >= deadline) secured.destroy()
        return waiting && tick < deadline
      },
    })
  }

  #enter(socket: Socket | TLSSocket, connection: Connection): void {
    this.#connections.set(socket, connection)
    this.#serve.call(this.#server, socket)
    socket.resume()
  }
}

const NOTHING = Buffer.alloc(0)
const nowhere: Remote = { address: '0.0.0.0', port: 0, proxied: true }

function ignore(): void {}

function header(raw: IncomingMessage, name: string): string | undefined {
  const value = raw.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
