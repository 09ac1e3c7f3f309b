// A transport without a socket: what the server writes is a list of texts, what the test sends are
// bytes. The world's clients talk through it.

import type { TlsFacts, Transport, TransportReceiver } from '../../lib/net/transport.js'
import type { Wire } from '../../lib/xmpp/element.js'

const facts: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  serverName: undefined,
  alpn: undefined,
  hasExporter: false,
  exporter: () => undefined,
  endPoint: () => undefined,
  peer: undefined,
}

const nobody: TransportReceiver = { bytes() {}, closed() {} }

export class MemoryTransport implements Transport {
  readonly remote = { address: '127.0.0.1', port: 1, proxied: false }
  readonly framing: 'stream' | 'message'
  /** What a test says that the peer has not taken */
  buffered = 0
  receiver = nobody
  tls: TlsFacts | undefined
  ended = false
  paused = false
  readonly #wrote: (wire: Wire) => void
  #held: Buffer[] = []

  constructor(
    wrote: (wire: Wire) => void,
    options: { framing?: 'stream' | 'message'; clear?: boolean } = {},
  ) {
    this.#wrote = wrote
    this.framing = options.framing ?? 'stream'
    this.tls = options.clear ? undefined : facts
  }

  /** From the client. Held while the server pauses, as a socket would. */
  feed(text: string | Buffer): void {
    const chunk = Buffer.isBuffer(text) ? text : Buffer.from(text, 'utf8')
    if (this.paused) this.#held.push(chunk)
    else if (!this.ended) this.#give(chunk)
  }

  /** The client's side of the connection breaks. */
  cut(reason?: Error): void {
    this.#end(reason)
  }

  /** The server is gone, without a word and without hearing of anything. */
  vanish(): void {
    this.ended = true
    this.receiver = nobody
  }

  write(wire: Wire): void {
    if (!this.ended) this.#wrote(wire)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    while (!this.paused && this.#held.length > 0) this.#give(this.#held.shift()!)
  }

  async secure(): Promise<TlsFacts> {
    this.tls = facts
    return facts
  }

  close(): void {
    this.#end()
  }

  destroy(): void {
    this.#end()
  }

  #give(chunk: Buffer): void {
    if (this.framing === 'message') this.receiver.message?.(chunk)
    else this.receiver.bytes(chunk)
  }

  #end(reason?: Error): void {
    if (this.ended) return
    this.ended = true
    this.receiver.closed(reason)
  }
}
