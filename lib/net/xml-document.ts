// A whole XML document from outside that is no stream: stored or uploaded XML, under the same strict
// rules and limits as a stanza (SEC-01: one parser for everything). A declaration may come first.

import type { Element, Wire } from '../xmpp/element.js'
import { parseTree } from '../xmpp/tree.js'
import { NO_FRAME } from './xml-bindings.js'
import { latin1 } from './xml-bytes.js'
import { CLASS, SPACE, illFormed, tooMuch } from './xml-characters.js'
import { checkDeclaration } from './xml-header.js'
import { authenticatedLimits, type XmlLimits } from './xml-limits.js'
import { EXPECT_DECLARATION, EXPECT_ELEMENT, Scanner } from './xml-scanner.js'
import { FOUND_DECLARATION, FOUND_NOTHING } from './xml-scanner-text.js'
import { checkCharacters } from './xml-unit.js'

/** Throws a StreamError whose condition says what is wrong. */
export function parseXml(text: Wire | Buffer, limits: XmlLimits = authenticatedLimits): Element {
  const buf = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const scanner = new Scanner()
  let end = unit(scanner, { buf, at: 0, expect: EXPECT_DECLARATION, limits })
  if (scanner.found === FOUND_DECLARATION) {
    checkDeclaration(latin1(buf, scanner.base, end))
    end = unit(scanner, { buf, at: end, expect: EXPECT_ELEMENT, limits })
  }
  checkCharacters(scanner, buf)
  if (skipSpace(buf, end) < buf.length) throw illFormed('more than one element')
  return parseTree(latin1(buf, scanner.base, end))
}

interface Place {
  buf: Buffer
  at: number
  expect: number
  limits: XmlLimits
}

function unit(scanner: Scanner, { buf, at, expect, limits }: Place): number {
  const start = skipSpace(buf, at)
  if (buf[start] !== 0x3c) throw illFormed('no element')
  scanner.base = start
  scanner.begin(NO_FRAME, limits, expect)
  const end = scanner.scan(buf, start + 1, Math.min(buf.length, start + limits.bytes))
  if (scanner.found !== FOUND_NOTHING) return end
  throw end - start === limits.bytes
    ? tooMuch('document too large')
    : illFormed('unfinished element')
}

function skipSpace(buf: Buffer, at: number): number {
  while (at < buf.length && CLASS[buf[at]!]! & SPACE) at++
  return at
}
