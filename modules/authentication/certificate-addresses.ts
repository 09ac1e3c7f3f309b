// XMPP addresses in a certificate: subjectAltName entries of type otherName with id-on-xmppAddr (RFC
// 6120 §13.7.1.4), read from its DER, because a rendering as text can be forged (SEC-27). Nothing but
// the subjectAltName counts: no common name, no other field.

import type { X509Certificate } from 'node:crypto'
import { type DerValue, derValues, dotted, TAG } from '../../lib/net/der.js'
import { Jid } from '../../lib/xmpp/jid.js'

const SUBJECT_ALT_NAME = '2.5.29.17'
const ID_ON_XMPP_ADDR = '1.3.6.1.5.5.7.8.5'

/** [0] and [3] with contents */
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3

/** With more names than this it is nobody's certificate: it then has none. */
const MOST_NAMES = 100

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const known = new WeakMap<X509Certificate, readonly Jid[]>()

/** Bare addresses with a localpart; none where the certificate is not well-formed. */
export function certificateAddresses(certificate: X509Certificate): readonly Jid[] {
  const found = known.get(certificate) ?? addressesIn(certificate.raw)
  known.set(certificate, found)
  return found
}

export function addressesIn(certificate: Buffer): readonly Jid[] {
  try {
    const names = subjectAltNames(certificate)
    if (names.length > MOST_NAMES) return []
    return names.flatMap((name) => (name.tag === CONTEXT_0 ? xmppAddr(name.content) : []))
  } catch {
    // A length that does not fit, or text that is not UTF-8.
    return []
  }
}

/** RFC 5280 §4.1: Certificate → tbsCertificate → extensions [3] → subjectAltName. */
function subjectAltNames(certificate: Buffer): DerValue[] {
  const fields = within(within(derValues(certificate), TAG.sequence), TAG.sequence)
  const extensions = within(within(fields, CONTEXT_3), TAG.sequence).filter(isSubjectAltName)
  // RFC 5280 §4.2: an extension stands there once.
  if (extensions.length !== 1) return []
  const value = derValues(extensions[0]!.content).at(-1)
  return value?.tag === TAG.octetString ? within(derValues(value.content), TAG.sequence) : []
}

/** What the first value with this tag holds. */
function within(values: readonly DerValue[], tag: number): DerValue[] {
  const found = values.find((value) => value.tag === tag)
  return found ? derValues(found.content) : []
}

function isSubjectAltName({ tag, content }: DerValue): boolean {
  return tag === TAG.sequence && hasType(derValues(content), SUBJECT_ALT_NAME)
}

function hasType([first]: readonly DerValue[], oid: string): boolean {
  return first?.tag === TAG.objectId && dotted(first.content) === oid
}

/** OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT UTF8String } */
function xmppAddr(otherName: Buffer): Jid[] {
  const values = derValues(otherName)
  if (!hasType(values, ID_ON_XMPP_ADDR)) return []
  const [text, ...more] = within(values, CONTEXT_0)
  if (text?.tag !== TAG.utf8String || more.length > 0) return []
  const jid = Jid.tryParse(utf8.decode(text.content))
  return jid?.isBare && jid.local !== '' ? [jid] : []
}
