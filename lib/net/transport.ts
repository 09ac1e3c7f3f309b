// Bytes in, bytes out: what a stream sees of a TCP connection, a TLS connection or a WebSocket.
// A transport knows nothing of XML. Everything written in one turn of the event loop leaves in one
// system call; a reader that does not drain is cut off by its transport.

import type { X509Certificate } from 'node:crypto'
import type { Wire } from '../xmpp/element.js'

export interface Remote {
  /** The client's own address, also behind a trusted proxy; never an IPv4-mapped IPv6 address. */
  readonly address: string
  readonly port: number
  /** Came through a proxy that we trust: such a connection never counts as loopback. */
  readonly proxied: boolean
}

export interface TlsFacts {
  /** 'TLSv1.2' or 'TLSv1.3' */
  readonly protocol: string
  readonly cipher: string
  /** SNI */
  readonly serverName: string | undefined
  /** ALPN, e.g. 'xmpp-client' */
  readonly alpn: string | undefined
  /** RFC 9266: not where the binding would not be unique (TLS 1.2 without extended master secret). */
  readonly hasExporter: boolean
  exporter(): Buffer | undefined
  /** RFC 5929 §4: hash of the certificate that this connection was given. */
  endPoint(): Buffer | undefined
  /** The client's certificate, where it was asked for one; `trusted` says whether its chain is ours to believe. */
  readonly peer: { certificate: X509Certificate; trusted: boolean } | undefined
}

export interface TransportReceiver {
  /** The chunk is only valid during the call: copy what is kept. */
  bytes(chunk: Buffer): void
  /** One whole WebSocket message (framing 'message'). */
  message?(chunk: Buffer): void
  /** The peer has taken what waited: whoever writes a lot (a page of an archive) goes on now. */
  drained?(): void
  /** Nothing more will come and nothing more can be written; called exactly once, never during a call of ours. */
  closed(reason?: Error): void
}

export interface Transport {
  readonly remote: Remote
  /** 'stream': RFC 6120 §4; 'message': one element a WebSocket message, RFC 7395 §3. */
  readonly framing: 'stream' | 'message'
  /** Undefined in clear; also set where a trusted proxy ended TLS for us (then without bindings). */
  readonly tls: TlsFacts | undefined
  /** Bytes accepted by write() that the kernel has not taken. */
  readonly buffered: number
  receiver: TransportReceiver
  /** Queues; with framing 'message' each call is one message. Never throws; after close it does nothing. */
  write(wire: Wire): void
  pause(): void
  resume(): void
  /**
   * STARTTLS: sends what was written, drops what was read, and becomes the server side of TLS. What is
   * written meanwhile waits for TLS. Rejects where the handshake fails; `closed` is called as well.
   */
  secure(): Promise<TlsFacts>
  /** Sends what was written, then ends; destroys itself when the peer does not end within a few seconds. */
  close(): void
  destroy(): void
}
