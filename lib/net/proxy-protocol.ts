// The PROXY protocol, versions 1 and 2: the first bytes of a connection from a trusted proxy say who
// the client is. Only asked for connections from `listen.proxies`. A connection of such a proxy that
// begins otherwise is its own: neither XMPP, TLS nor HTTP can begin with either signature.

import { isIPv4, isIPv6 } from 'node:net'
import { plainAddress } from './addresses.js'

export interface ProxyHeader {
  /** Bytes of the header: what comes after is the client's. */
  readonly length: number
  /** Undefined: a connection of the proxy itself, or one whose origin it does not know. */
  readonly source: { readonly address: string; readonly port: number } | undefined
  /** Version 2 may tell that the proxy ended TLS. */
  readonly tls: ProxiedTls | undefined
}

export interface ProxiedTls {
  readonly protocol: string
  readonly cipher: string
  readonly serverName: string | undefined
  readonly alpn: string | undefined
}

const V1 = Buffer.from('PROXY ', 'latin1')
const V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V1_MOST = 107
/** Address and extras; real ones have some hundred bytes. */
const V2_MOST = 4096

const own: Omit<ProxyHeader, 'length'> = { source: undefined, tls: undefined }

export function readProxyHeader(bytes: Buffer): ProxyHeader | 'partial' | 'malformed' {
  if (begins(bytes, V1)) return bytes.length < V1.length ? 'partial' : readText(bytes)
  if (begins(bytes, V2)) return bytes.length < 16 ? 'partial' : readBinary(bytes)
  return { length: 0, ...own }
}

/** As far as both go. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.compare(signature, 0, length, 0, length) === 0
}

function readText(bytes: Buffer): ProxyHeader | 'partial' | 'malformed' {
  const text = bytes.toString('latin1', 0, V1_MOST)
  const end = text.indexOf('\r\n')
  if (end < 0) return text.length < V1_MOST ? 'partial' : 'malformed'
  const length = end + 2
  const [, family, source = '', target = '', port = '', targetPort = '', ...rest] = text
    .slice(0, end)
    .split(' ')
  if (family === 'UNKNOWN') return { length, ...own }
  const fits = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false
  const right =
    fits(source) && fits(target) && isPort(port) && isPort(targetPort) && rest.length === 0
  return right
    ? { length, source: { address: plainAddress(source)!, port: Number(port) }, tls: undefined }
    : 'malformed'
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function readBinary(bytes: Buffer): ProxyHeader | 'partial' | 'malformed' {
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 15]
  const size = bytes.readUInt16BE(14)
  if (version !== 2 || command > 1 || size > V2_MOST) return 'malformed'
  const length = 16 + size
  if (bytes.length < length) return 'partial'
  if (command === 0) return { length, ...own }
  return readSource(bytes[13]!, bytes.subarray(16, length), length)
}

const STREAM4 = 0x11
const STREAM6 = 0x21

function readSource(family: number, body: Buffer, length: number): ProxyHeader | 'malformed' {
  if (family !== STREAM4 && family !== STREAM6) return { length, ...own }
  const size = family === STREAM4 ? 4 : 16
  const extrasAt = size * 2 + 4
  if (body.length < extrasAt) return 'malformed'
  const address = plainAddress(family === STREAM4 ? body.subarray(0, 4).join('.') : ipv6(body))!
  const extras = readExtras(body.subarray(extrasAt))
  if (extras === undefined) return 'malformed'
  return { length, source: { address, port: body.readUInt16BE(size * 2) }, tls: tlsFrom(extras) }
}

function ipv6(body: Buffer): string {
  const mapped =
    body.subarray(0, 10).every((byte) => byte === 0) && body.readUInt16BE(10) === 0xffff
  if (mapped) return body.subarray(12, 16).join('.')
  return Array.from({ length: 8 }, (_, i) => body.readUInt16BE(i * 2).toString(16)).join(':')
}

const ALPN = 0x01
const AUTHORITY = 0x02
const SSL = 0x20
const SSL_VERSION = 0x21
const SSL_CIPHER = 0x23

/** Type, length, value, until the end; undefined where a length leads outside. Unknown types mean nothing. */
function readExtras(body: Buffer): Map<number, Buffer> | undefined {
  const extras = new Map<number, Buffer>()
  let at = 0
  while (at + 3 <= body.length) {
    const end = at + 3 + body.readUInt16BE(at + 1)
    if (end > body.length) return undefined
    extras.set(body[at]!, body.subarray(at + 3, end))
    at = end
  }
  return at === body.length ? extras : undefined
}

function tlsFrom(extras: Map<number, Buffer>): ProxiedTls | undefined {
  const ssl = extras.get(SSL)
  // One byte of flags, four with the verdict on a client certificate, then values of their own.
  if (!ssl || ssl.length < 5 || (ssl[0]! & 1) === 0) return undefined
  const inner = readExtras(ssl.subarray(5)) ?? new Map<number, Buffer>()
  return {
    protocol: inner.get(SSL_VERSION)?.toString('latin1') ?? 'unknown',
    cipher: inner.get(SSL_CIPHER)?.toString('latin1') ?? 'unknown',
    serverName: extras.get(AUTHORITY)?.toString('latin1'),
    alpn: extras.get(ALPN)?.toString('latin1'),
  }
}
