// What ties a login to its TLS connection: tls-exporter (RFC 9266) and tls-server-end-point
// (RFC 5929 §4). A value is only given where it is surely the same on both sides and unique.

import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type DerValue, derValues, dotted } from './der.js'

/** RFC 9266 §2 */
const LABEL = 'EXPORTER-Channel-Binding'
const LENGTH = 32

export function exporterBinding(socket: TLSSocket): Buffer | undefined {
  if (!hasExporter(socket)) return undefined
  // RFC 9266 §2: the context is empty but there.
  return socket.exportKeyingMaterial(LENGTH, LABEL, Buffer.alloc(0))
}

export function hasExporter(socket: TLSSocket): boolean {
  return !socket.destroyed && isUnique(socket)
}

/**
 * RFC 9266 §4.2: before TLS 1.3 only with the extended master secret. Node does not tell, but the
 * session that it shows as ASN.1 has OpenSSL's flags in field 13, and bit 0 there is the answer.
 */
function isUnique(socket: TLSSocket): boolean {
  if (socket.getProtocol() === 'TLSv1.3') return true
  const session = socket.getSession()
  if (!session) return false
  const [whole] = derValues(session)
  const flags = whole && derValues(whole.content).find(({ tag }) => tag === 0xad)
  const value = flags && derValues(flags.content)[0]?.content
  return value !== undefined && (value.at(-1)! & 1) === 1
}

const known = new WeakMap<X509Certificate, { readonly binding: Buffer | undefined }>()

/** Undefined where the signature has no single hash (RFC 5929 §4.1), as with Ed25519. */
export function endPointBinding(certificate: X509Certificate): Buffer | undefined {
  const found = known.get(certificate) ?? { binding: bindingFrom(certificate.raw) }
  known.set(certificate, found)
  return found.binding
}

function bindingFrom(certificate: Buffer): Buffer | undefined {
  const hash = bindingHash(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest()
}

const RSA_PSS = '1.2.840.113549.1.1.10'

/** Signature algorithm → hash; MD5 and SHA-1 are replaced by SHA-256 (RFC 5929 §4.1). */
const hashes: Record<string, string> = {
  '1.2.840.113549.1.1.4': 'sha256',
  '1.2.840.113549.1.1.5': 'sha256',
  '1.2.840.113549.1.1.14': 'sha224',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha256',
  '1.2.840.10045.4.3.1': 'sha224',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
}

/** RSASSA-PSS names its hash in the parameters; absent means SHA-1 (RFC 4055 §3.1). */
const pssHashes: Record<string, string> = {
  '1.3.14.3.2.26': 'sha256',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

function bindingHash(raw: Buffer): string | undefined {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  const [certificate] = derValues(raw)
  const algorithm = certificate && derValues(certificate.content)[1]
  if (!algorithm) return undefined
  const [name, parameters] = derValues(algorithm.content)
  if (!name) return undefined
  const id = dotted(name.content)
  return id === RSA_PSS ? pssHash(parameters) : hashes[id]
}

function pssHash(parameters: DerValue | undefined): string | undefined {
  const explicit = parameters && derValues(parameters.content).find(({ tag }) => tag === 0xa0)
  if (!explicit) return 'sha256'
  const [algorithm] = derValues(explicit.content)
  const [name] = algorithm ? derValues(algorithm.content) : []
  return name && pssHashes[dotted(name.content)]
}
