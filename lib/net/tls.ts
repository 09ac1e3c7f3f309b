// The server side of TLS over a socket: contexts by SNI, what a connection has agreed on. TLS 1.2
// and 1.3 with forward secrecy and AEAD only; no renegotiation, which is only good for attacks
// (SEC-09). Where certificates come from is the matter of certificate-store.

import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls'
import type { Certificates } from './certificate-store.js'
import { endPointBinding, exporterBinding, hasExporter } from './channel-binding.js'
import type { TlsFacts } from './transport.js'

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':')

export interface ContextMaterial {
  certificate: string | Buffer
  key: string | Buffer
  /** Believed beside the well-known ones when a client shows a certificate. */
  ca?: (string | Buffer)[] | undefined
  /** 48 bytes, the same on all nodes: a session may then be taken up on another one. */
  ticketKeys?: Buffer | undefined
}

export function makeContext(material: ContextMaterial): SecureContext {
  return createSecureContext({
    cert: material.certificate,
    key: material.key,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    sessionIdContext: 'xmpp',
    ...(material.ca ? { ca: material.ca } : {}),
    ...(material.ticketKeys ? { ticketKeys: material.ticketKeys } : {}),
  })
}

export interface TlsTerms {
  readonly certificates: Certificates
  readonly alpn: readonly string[] | undefined
  readonly requestClientCertificate: boolean
  readonly options: TLSSocketOptions
}

/** One literal per listener: connections share it. */
export function tlsTerms(
  certificates: Certificates,
  alpn?: readonly string[],
  requestClientCertificate = false,
): TlsTerms {
  const options: TLSSocketOptions = {
    isServer: true,
    requestCert: requestClientCertificate,
    rejectUnauthorized: false,
    SNICallback: (name, done) => done(null, certificates.contextFor(name)),
    ...(alpn ? { ALPNProtocols: [...alpn] } : {}),
  }
  return { certificates, alpn, requestClientCertificate, options }
}

/** Lays TLS over a socket that is connected. It emits 'secure' when the handshake is done. */
export function startTls(socket: Socket, terms: TlsTerms): TLSSocket {
  terms.options.secureContext = terms.certificates.contextFor(undefined)
  const secured = new TLSSocket(socket, terms.options)
  secured.disableRenegotiation()
  // Node tells here, and only here, that a peer renegotiates or breaks the protocol after the handshake.
  secured.on('_tlsError', cutOff)
  return secured
}

function cutOff(this: TLSSocket, error: Error): void {
  this.destroy(error)
}

export class ConnectionTls implements TlsFacts {
  #socket: TLSSocket
  /** Ours, where it is at hand: to ask the connection for it costs 0.2 ms. */
  readonly #certificate: X509Certificate | undefined

  constructor(socket: TLSSocket, certificates?: Certificates) {
    this.#socket = socket
    this.#certificate = certificates?.certificateFor(this.serverName)
  }

  get protocol(): string {
    return this.#socket.getProtocol() ?? 'unknown'
  }

  get cipher(): string {
    return this.#socket.getCipher()?.name ?? 'unknown'
  }

  get serverName(): string | undefined {
    return (this.#socket as { servername?: string | false | null }).servername || undefined
  }

  get alpn(): string | undefined {
    return this.#socket.alpnProtocol || undefined
  }

  get hasExporter(): boolean {
    return hasExporter(this.#socket)
  }

  exporter(): Buffer | undefined {
    return exporterBinding(this.#socket)
  }

  endPoint(): Buffer | undefined {
    if (this.#socket.destroyed) return undefined
    const certificate = this.#certificate ?? this.#socket.getX509Certificate()
    return certificate && endPointBinding(certificate)
  }

  get peer(): { certificate: X509Certificate; trusted: boolean } | undefined {
    const certificate = this.#socket.getPeerX509Certificate()
    return certificate && { certificate, trusted: chainIsTrusted(this.#socket) }
  }
}

/** Node fills `authorized` only for its own server class; the answer is on the handle. Unknown means no. */
function chainIsTrusted(socket: TLSSocket): boolean {
  const handle = (socket as { _handle?: { verifyError?(): Error | null } })._handle
  return handle?.verifyError !== undefined && handle.verifyError() === null
}
