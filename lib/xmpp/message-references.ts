// The ids by which messages speak of each other: what others call this one, and which one it is
// about. Read from the text of one start tag, because every message is asked for its origin-id.

import type { Wire } from './element.js'
import {
  NS_CHAT_MARKERS,
  NS_CORRECTION,
  NS_REACTIONS,
  NS_RECEIPTS,
  NS_REPLY,
  NS_RETRACTION,
  NS_STANZA_IDS,
  trait,
} from './message-children.js'
import type { Stanza, StanzaChild } from './stanza.js'
import { decodeAttribute } from './tree.js'

/** The origin-id (XEP-0359 §2.2) if there is exactly one, and it says something. */
export function originId(stanza: Stanza): string | undefined {
  if ((stanza.traits & trait.originId) === 0) return undefined
  let found: StanzaChild | undefined
  for (const child of stanza.children) {
    if (child.name !== 'origin-id' || child.xmlns !== NS_STANZA_IDS) continue
    if (found) return undefined
    found = child
  }
  return found && (attribute(stanza, found, 'id') || undefined)
}

/** What others call this message (XEP-0444 §4.2, XEP-0461 §4.1); undefined where they cannot. */
export function ownLabel(stanza: Stanza): string | undefined {
  return originId(stanza) ?? (stanza.id || undefined)
}

/**
 * `displayed` and `delivered` say how far a message has come: XEP-0184 and XEP-0333, the markers of
 * its earlier versions included, of which `acknowledged` came after `displayed`.
 */
export type ReferenceKind =
  | 'retraction'
  | 'correction'
  | 'reaction'
  | 'displayed'
  | 'delivered'
  | 'reply'

export interface Reference {
  readonly kind: ReferenceKind
  readonly id: string
}

const REFERRING =
  trait.retraction | trait.correction | trait.reactions | trait.marker | trait.receipt | trait.reply

/** Whoever makes a message refer twice is taken at what changes most: the first of these counts. */
const REFERENCES: readonly (readonly [ReferenceKind, string, string])[] = [
  ['retraction', 'retract', NS_RETRACTION],
  ['correction', 'replace', NS_CORRECTION],
  ['reaction', 'reactions', NS_REACTIONS],
  ['displayed', 'displayed', NS_CHAT_MARKERS],
  ['displayed', 'acknowledged', NS_CHAT_MARKERS],
  ['delivered', 'received', NS_RECEIPTS],
  ['delivered', 'received', NS_CHAT_MARKERS],
  ['reply', 'reply', NS_REPLY],
]

/** Which message this one is about. */
export function referredId(stanza: Stanza): Reference | undefined {
  if ((stanza.traits & REFERRING) === 0) return undefined
  for (const [kind, name, xmlns] of REFERENCES) {
    const child = stanza.children.find((one) => one.name === name && one.xmlns === xmlns)
    const id = child && attribute(stanza, child, 'id')
    if (id) return { kind, id }
  }
  return undefined
}

/** An attribute of a child's start tag, which the reader has let through: it is well-formed. */
export function attribute(stanza: Stanza, child: StanzaChild, name: string): string | undefined {
  const wire: Wire = stanza.content
  let at = skipName(wire, child.start + 1)
  for (;;) {
    const start = skipSpace(wire, at)
    const end = skipName(wire, start)
    if (end === start) return undefined
    const open = skipSpace(wire, skipSpace(wire, end) + 1)
    at = wire.indexOf(wire.charAt(open), open + 1) + 1
    if (end - start === name.length && wire.startsWith(name, start))
      return decoded(wire.slice(open + 1, at - 1))
  }
}

const PLAIN = /^[!-%'-~]*$/

function decoded(value: Wire): string {
  return PLAIN.test(value) ? value : decodeAttribute(value)
}

function skipSpace(wire: Wire, at: number): number {
  while (isSpace(wire.charCodeAt(at))) at++
  return at
}

function skipName(wire: Wire, at: number): number {
  for (;;) {
    const code = wire.charCodeAt(at)
    if (code === EQUALS || code === GT || code === SLASH || isSpace(code)) return at
    at++
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d
}

const EQUALS = 0x3d
const GT = 0x3e
const SLASH = 0x2f
