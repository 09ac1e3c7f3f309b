// Certificates as tests need them, well-formed and not: any names, any subject, signed by their own
// key. What counts is what stands in them; whether a chain is to be believed is TLS's.

import { createSign, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { bitString, der, integer, objectId, sequence, TAG, time } from '../../../lib/net/der.js'

export interface CertificateOptions {
  /** DER of GeneralNames */
  names?: readonly Buffer[]
  /** Attributes of the subject: [OID, text] */
  subject?: readonly [string, string][]
  /** Further extensions, or the subjectAltName once more */
  extensions?: readonly Buffer[]
}

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ECDSA = sequence(objectId('1.2.840.10045.4.3.2'))

export function xmppAddr(address: string | Buffer, tag: number = TAG.utf8String): Buffer {
  const text = Buffer.isBuffer(address) ? address : Buffer.from(address)
  return der(0xa0, objectId('1.3.6.1.5.5.7.8.5'), der(0xa0, der(tag, text)))
}

export function dnsName(name: string): Buffer {
  return der(0x82, Buffer.from(name))
}

export function email(address: string): Buffer {
  return der(0x81, Buffer.from(address))
}

export function uri(address: string): Buffer {
  return der(0x86, Buffer.from(address))
}

export function otherName(oid: string, address: string): Buffer {
  return der(0xa0, objectId(oid), der(0xa0, der(TAG.utf8String, Buffer.from(address))))
}

export function subjectAltName(names: readonly Buffer[]): Buffer {
  return sequence(objectId('2.5.29.17'), der(TAG.octetString, sequence(...names)))
}

export function certificateDer(options: CertificateOptions): Buffer {
  const extensions = [
    ...(options.names ? [subjectAltName(options.names)] : []),
    ...(options.extensions ?? []),
  ]
  const subject = (options.subject ?? [['2.5.4.3', 'somebody']]).map(([oid, text]) =>
    der(TAG.set, sequence(objectId(oid), der(TAG.utf8String, Buffer.from(text)))),
  )
  const tbs = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.from([1])),
    ECDSA,
    sequence(...subject),
    sequence(time(new Date('2026-01-01')), time(new Date('2036-01-01'))),
    sequence(...subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  )
  const signature = createSign('sha256').update(tbs).sign(keys.privateKey)
  return sequence(tbs, ECDSA, bitString(signature))
}

export function certificate(options: CertificateOptions): X509Certificate {
  return new X509Certificate(certificateDer(options))
}
