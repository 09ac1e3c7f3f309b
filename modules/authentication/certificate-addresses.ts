// XMPP addresses in a certificate: subjectAltName entries of type otherName with id-on-xmppAddr (RFC
// 6120 §13.7.1.4), read from its DER, because a rendering as text can be forged (SEC-27). Nothing but
// the subjectAltName counts: no common name, no other field.

import type { X509Certificate } from 'node:crypto'
import { Jid } from '../../lib/xmpp/jid.js'

const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex')
const ID_ON_XMPP_ADDR = Buffer.from('2b06010505070805', 'hex')

const BOOLEAN = 0x01
const OCTET_STRING = 0x04
const OID = 0x06
const UTF8_STRING = 0x0c
const SEQUENCE = 0x30
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3

/** More names than this are nobody's address book; the certificate then has none. */
const MOST_NAMES = 100

interface Node {
  readonly tag: number
  readonly value: Buffer
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const known = new WeakMap<X509Certificate, readonly Jid[]>()

/** Bare addresses with a localpart; empty where the certificate is not well-formed. */
export function certificateAddresses(certificate: X509Certificate): readonly Jid[] {
  const found = known.get(certificate) ?? addressesIn(certificate.raw)
  known.set(certificate, found)
  return found
}

export function addressesIn(der: Buffer): readonly Jid[] {
  const names = subjectAltNames(der)
  if (names === undefined || names.length > MOST_NAMES) return []
  return names.flatMap((name) => {
    const jid = name.tag === CONTEXT_0 ? xmppAddr(name.value) : undefined
    return jid ? [jid] : []
  })
}

/** RFC 5280 §4.1: Certificate → tbsCertificate → extensions [3] → subjectAltName. */
function subjectAltNames(der: Buffer): readonly Node[] | undefined {
  const certificate = only(der, SEQUENCE)
  const tbs = certificate && children(certificate)?.[0]
  const fields = tbs?.tag === SEQUENCE ? children(tbs.value) : undefined
  const holder = fields?.find(({ tag }) => tag === CONTEXT_3)
  const list = holder && only(holder.value, SEQUENCE)
  const extensions = list && children(list)?.filter(isSubjectAltName)
  // RFC 5280 §4.2: an extension stands there once.
  if (extensions?.length !== 1) return undefined
  const value = extensions[0] && extensionValue(extensions[0])
  const names = value && only(value, SEQUENCE)
  return names && children(names)
}

function isSubjectAltName({ tag, value }: Node): boolean {
  const oid = tag === SEQUENCE ? children(value)?.[0] : undefined
  return oid?.tag === OID && oid.value.equals(SUBJECT_ALT_NAME)
}

function extensionValue({ value }: Node): Buffer | undefined {
  const [, ...rest] = children(value) ?? []
  const last = rest.length === 2 && rest[0]?.tag === BOOLEAN ? rest[1] : rest[0]
  return last?.tag === OCTET_STRING ? last.value : undefined
}

/** OtherName ::= SEQUENCE { type-id OID, value [0] EXPLICIT UTF8String } */
function xmppAddr(otherName: Buffer): Jid | undefined {
  const [type, holder] = children(otherName) ?? []
  if (type?.tag !== OID || !type.value.equals(ID_ON_XMPP_ADDR)) return undefined
  const text = holder?.tag === CONTEXT_0 ? only(holder.value, UTF8_STRING) : undefined
  const jid = text && Jid.tryParse(decoded(text))
  return jid?.isBare && jid.local !== '' ? jid : undefined
}

function decoded(text: Buffer): string | undefined {
  try {
    return utf8.decode(text)
  } catch {
    return undefined
  }
}

/** The value of the one node that `der` is, where it has this tag. */
function only(der: Buffer, tag: number): Buffer | undefined {
  const nodes = children(der)
  return nodes?.length === 1 && nodes[0]?.tag === tag ? nodes[0].value : undefined
}

function children(der: Buffer): Node[] | undefined {
  const nodes: Node[] = []
  let at = 0
  while (at < der.length) {
    const header = readHeader(der, at)
    if (!header || header.end > der.length) return undefined
    nodes.push({ tag: der[at]!, value: der.subarray(header.start, header.end) })
    at = header.end
  }
  return nodes
}

/** X.690 §8.1.3: lengths of up to three octets, in their shortest form. */
function readHeader(der: Buffer, at: number): { start: number; end: number } | undefined {
  const first = der[at + 1]
  if (first === undefined || (der[at]! & 0x1f) === 0x1f) return undefined
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const octets = first & 0x7f
  if (octets < 1 || octets > 3 || at + 2 + octets > der.length) return undefined
  const length = der.readUIntBE(at + 2, octets)
  const shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3
  return octets === shortest ? { start: at + 2 + octets, end: at + 2 + octets + length } : undefined
}
