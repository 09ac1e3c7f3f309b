// What a byte may be in XML 1.0: one table for the scanner's loops, and the checks that need whole
// characters. Bytes of longer characters pass the loops; their encoding is checked once a unit is
// complete (`checkEncoding`), names with such characters when the name ends.

import { isUtf8 } from 'node:buffer'
import { StreamError } from '../xmpp/errors.js'

/** May begin a name */
export const START = 1
/** May be in a name; the colon is not, because there may be only one */
export const NAME = 2
export const SPACE = 4
/** Part of a character beyond ASCII */
export const WIDE = 8
/** 0xEF, which begins U+FFFE and U+FFFF among others */
export const EF = 16
/** White space other than the space: attribute values get it normalised */
export const BLANK = 32
/** Ends a run of text: markup, a reference, '>' (it might end ']]>'), or illegal */
export const TEXT_STOP = 64
/** Ends a run in an attribute value: either quote, '<', a reference, or illegal */
export const VALUE_STOP = 128

export const CLASS: Uint8Array = table()

function table(): Uint8Array {
  const classes = new Uint8Array(256)
  const add = (characters: string, bits: number) => {
    for (const byte of Buffer.from(characters, 'latin1')) classes[byte]! |= bits
  }
  for (let byte = 0; byte < 0x20; byte++) classes[byte] = TEXT_STOP | VALUE_STOP
  for (const byte of [0x09, 0x0a, 0x0d]) classes[byte] = SPACE | BLANK
  for (let byte = 0x80; byte < 0x100; byte++) classes[byte] = START | NAME | WIDE
  classes[0xef]! |= EF
  add(' ', SPACE)
  add('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_', START | NAME)
  add('0123456789-.', NAME)
  add('<&>', TEXT_STOP)
  add('<&\'"', VALUE_STOP)
  return classes
}

export function illFormed(text: string): StreamError {
  return new StreamError('not-well-formed', text)
}

/** RFC 6120 §11.1 */
export function restricted(text: string): StreamError {
  return new StreamError('restricted-xml', text)
}

export function tooMuch(text: string): StreamError {
  return new StreamError('policy-violation', text)
}

/** RFC 6120 §4.9.3.22, §11.6 */
export function badEncoding(): StreamError {
  return new StreamError('unsupported-encoding', 'not UTF-8')
}

/** For a range in which bytes beyond ASCII were seen. */
export function checkEncoding(buf: Buffer, start: number, end: number): void {
  if (!isUtf8(buf.subarray(start, end))) throw badEncoding()
}

/** U+FFFE and U+FFFF are no characters of XML: EF BF BE, EF BF BF. */
export function checkNonCharacters(buf: Buffer, start: number, end: number): void {
  let at = buf.indexOf(0xef, start)
  while (at >= 0 && at + 2 < end) {
    if (buf[at + 1] === 0xbf && buf[at + 2]! >= 0xbe) throw illFormed('illegal character')
    at = buf.indexOf(0xef, at + 1)
  }
}

const NAME_START =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const NAME_CHAR = `${NAME_START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}`
const WIDE_NAME = new RegExp(`^[${NAME_START}][${NAME_CHAR}]*$`, 'u')

/** XML 1.0 (5th edition) §2.3 for a part of a name that is not all ASCII; start and length are checked. */
export function checkWideName(buf: Buffer, start: number, end: number): void {
  checkEncoding(buf, start, end)
  if (!WIDE_NAME.test(buf.toString('utf8', start, end))) throw illFormed('illegal name')
}

const PREDEFINED = new Set(['amp', 'lt', 'gt', 'apos', 'quot'])
const CHARACTER = /^#(?:x([0-9A-Fa-f]+)|([0-9]+))$/

/** What stands between '&' and ';'. RFC 6120 §11.1: only the five predefined entities. */
export function checkReference(reference: string): void {
  if (PREDEFINED.has(reference)) return
  if (!reference.startsWith('#')) throw restricted('entity reference')
  const match = CHARACTER.exec(reference)
  if (!match) throw illFormed('malformed character reference')
  const code = match[1] ? Number.parseInt(match[1], 16) : Number.parseInt(match[2]!, 10)
  if (!isCharacter(code)) throw illFormed('reference to an illegal character')
}

/** XML 1.0 §2.2 */
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d
  return (
    code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
  )
}
