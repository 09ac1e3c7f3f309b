// The ids by which messages speak of each other: what others call this one, and which one it is
// about. Read from the text of one start tag, because every message is asked for its origin-id.

import type { Wire } from './element.js'
import {
  NS_CHAT_MARKERS,
  NS_CORRECTION,
  NS_FASTENING,
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
  ['retraction', 'apply-to', NS_FASTENING],
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

const NAME = /<[^\s/>]+/y
const ATTRIBUTE = /\s+([^\s=/>]+)\s*=\s*(?:'([^']*)'|"([^"]*)")/y

/** An attribute of a child's start tag, which the reader has let through: it is well-formed. */
function attribute(stanza: Stanza, child: StanzaChild, name: string): string | undefined {
  const wire: Wire = stanza.content
  NAME.lastIndex = child.start
  NAME.test(wire)
  ATTRIBUTE.lastIndex = NAME.lastIndex
  for (;;) {
    const found = ATTRIBUTE.exec(wire)
    if (!found) return undefined
    if (found[1] === name) return decodeAttribute(found[2] ?? found[3]!)
  }
}
