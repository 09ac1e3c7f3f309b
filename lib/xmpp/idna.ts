// Domains: names by IDNA2008 (RFC 5890 to 5893) after the mapping of RFC 5895, compared as U-labels,
// and addresses of IP as literals (RFC 7622 §3.2). The same name in A-labels, in capitals or in full
// width is the same domain; `domainToAscii` gives what DNS and certificates are asked for.

import {
  DERIVED,
  MARK,
  idnaOf,
  propertiesOf,
  toComposed,
  toLowerCase,
  toNormalWidth,
} from './code-points.js'
import { isIPv6 } from 'node:net'
import { JidError } from './jid-error.js'
import {
  codePoints,
  hasRightToLeft,
  meetsBidiRule,
  misplaced,
  named,
  needsContext,
} from './label-rules.js'
import { decodePunycode, encodePunycode } from './punycode.js'

/** RFC 1035 §2.3.4 */
const LABEL_LIMIT = 63
const PREFIX = 'xn--'
const ASCII = /^[\x00-\x7f]*$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

export function domainToUnicode(text: string): string {
  if (text.startsWith('[')) return ipv6Literal(text)
  const name = mapped(text).replace(/\.$/, '')
  if (IPV4.test(name)) return name
  const labels = name.split('.').map(toUnicodeLabel)
  if (/^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1)!)) {
    throw new JidError('the domain ends in a number and is no IPv4 address')
  }
  checkDirections(labels)
  return labels.join('.')
}

/** @param domain prepared */
export function domainToAscii(domain: string): string {
  if (ASCII.test(domain)) return domain
  return domain
    .split('.')
    .map((label) => toAsciiLabel(codePoints(label)))
    .join('.')
}

/** Texts that mean the same address are the same text (RFC 5952). */
function ipv6Literal(text: string): string {
  if (
    !text.endsWith(']') ||
    !/^[\da-f:.]+$/i.test(text.slice(1, -1)) ||
    !isIPv6(text.slice(1, -1))
  ) {
    throw new JidError('not an IPv6 address in brackets')
  }
  return new URL(`http://${text}`).hostname
}

/** RFC 5895 §2 */
function mapped(text: string): string {
  const unknown = codePoints(text).find((code) => idnaOf(propertiesOf(code)) === DERIVED.UNASSIGNED)
  if (unknown !== undefined) throw new JidError(`${named(unknown)} is not assigned`)
  return toComposed(toNormalWidth(toLowerCase(text))).replaceAll('\u3002', '.')
}

function toUnicodeLabel(label: string): string {
  const codes = label.startsWith(PREFIX) ? fromAsciiLabel(label) : codePoints(label)
  checkLabel(codes)
  if (toAsciiLabel(codes).length > LABEL_LIMIT) {
    throw new JidError('a label of the domain is longer than 63 octets')
  }
  return String.fromCodePoint(...codes)
}

/** RFC 5891 §5.4: an A-label is the one that its U-label gives, or a fake. */
function fromAsciiLabel(label: string): number[] {
  const codes = label.length <= LABEL_LIMIT && ASCII.test(label) && decodePunycode(label.slice(4))
  if (!codes || codes.every((code) => code < 0x80) || toAsciiLabel(codes) !== label) {
    throw new JidError(`${label.slice(0, LABEL_LIMIT)} is not a label of an internationalized name`)
  }
  return codes
}

function toAsciiLabel(codes: readonly number[]): string {
  if (codes.every((code) => code < 0x80)) return String.fromCharCode(...codes)
  return PREFIX + encodePunycode(codes)
}

/** RFC 5891 §4.2 */
function checkLabel(codes: readonly number[]): void {
  // Each code point takes at least one octet of the A-label: what is longer need not be encoded.
  if (codes.length === 0 || codes.length > LABEL_LIMIT) {
    throw new JidError('a label of the domain is empty or longer than 63 octets')
  }
  checkCodePoints(codes)
  const label = String.fromCodePoint(...codes)
  if (toComposed(label) !== label) throw new JidError('a label of the domain is not composed (NFC)')
  if (/^-|-$|^..--/u.test(label)) throw new JidError('a label of the domain has misplaced hyphens')
  if (propertiesOf(codes[0]!) & MARK) throw new JidError('a label of the domain begins with a mark')
}

function checkCodePoints(codes: readonly number[]): void {
  const allows = (derived: number) => derived === DERIVED.VALID || needsContext(derived)
  const wrong = codes.find((code) => !allows(idnaOf(propertiesOf(code)))) ?? misplaced(codes)
  if (wrong !== undefined) throw new JidError(`${named(wrong)} is not allowed in a domain`)
}

/** RFC 5893 §2: one label from right to left makes the rule hold for all. */
function checkDirections(labels: readonly string[]): void {
  const all = labels.map(codePoints)
  if (all.some(hasRightToLeft) && !all.every(meetsBidiRule)) {
    throw new JidError('the domain mixes directions (RFC 5893)')
  }
}
