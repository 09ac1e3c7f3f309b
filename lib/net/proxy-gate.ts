// Waits for the header of the PROXY protocol on a connection from a trusted proxy, then says who the
// client is and hands on what came after it. A malformed header, or none within ten seconds, ends the
// connection.

import type { Socket } from 'node:net'
import { type ProxiedTls, type ProxyHeader, readProxyHeader } from './proxy-protocol.js'
import type { Remote, TlsFacts } from './transport.js'
import type { Watch, Watched } from './watch.js'

export interface Arrival {
  readonly remote: Remote
  /** What the client sent already */
  readonly rest: Buffer
  readonly tls: TlsFacts | undefined
}

export interface GateTerms {
  readonly watch: Watch
  readonly timeout: number
}

export class ProxyGate implements Watched {
  #socket: Socket
  #peer: Remote
  #deadline: number
  #bytes = Buffer.alloc(0)
  #passed: ((arrival: Arrival) => void) | undefined

  constructor(socket: Socket, peer: Remote, terms: GateTerms, passed: (arrival: Arrival) => void) {
    this.#socket = socket
    this.#peer = peer
    this.#passed = passed
    this.#deadline = terms.watch.in(terms.timeout)
    terms.watch.add(this)
    socket.once('close', this.#shut)
    socket.once('end', this.#ended)
    socket.on('error', ignore)
  }

  received(chunk: Buffer): void {
    if (!this.#passed) return
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const header = readProxyHeader(this.#bytes)
    if (header === 'partial') return
    if (header === 'malformed') this.#refuse()
    else this.#arrived(header)
  }

  check(tick: number): boolean {
    if (this.#passed && tick >= this.#deadline) this.#refuse()
    return this.#passed !== undefined
  }

  #arrived(header: ProxyHeader): void {
    const { address, port } = header.source ?? this.#peer
    this.#pass({
      remote: { address, port, proxied: true },
      rest: this.#bytes.subarray(header.length),
      tls: header.tls && new ProxiedTlsFacts(header.tls),
    })
  }

  #pass(arrival: Arrival): void {
    const passed = this.#passed
    this.#shut()
    this.#socket.off('close', this.#shut)
    this.#socket.off('end', this.#ended)
    passed?.(arrival)
  }

  #refuse(): void {
    this.#shut()
    this.#socket.destroy()
  }

  #ended = (): void => this.#refuse()

  #shut = (): void => {
    this.#passed = undefined
  }
}

function ignore(): void {}

/** The proxy ended TLS: there is nothing here that a login could be bound to. */
export class ProxiedTlsFacts implements TlsFacts {
  readonly protocol: string
  readonly cipher: string
  readonly serverName: string | undefined
  readonly alpn: string | undefined
  readonly peer = undefined
  readonly hasExporter = false

  constructor(told: ProxiedTls) {
    this.protocol = told.protocol
    this.cipher = told.cipher
    this.serverName = told.serverName
    this.alpn = told.alpn
  }

  exporter(): undefined {}

  endPoint(): undefined {}
}
