// What the index knows of a message: its words, as its reader would see them, and whose it is. Nothing
// of what is encrypted, or retracted, or kept by nobody.

import { KEPT, RETRACTED } from '../../lib/storage/logged-message.js'
import { peerKey, type Recorded } from '../../lib/storage/message-log.js'
import { toWire } from '../../lib/xmpp/element.js'
import { bodyText } from '../../lib/xmpp/message-text.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { conversationToken, type Document, ownerToken } from './word-index.js'
import { wordsOf } from './words.js'

export function documentOf({ id, text, sides }: Recorded): Document | undefined {
  const kept = sides.filter(({ flags }) => (flags & (KEPT | RETRACTED)) === KEPT)
  if (kept.length === 0) return undefined
  const words = wordsWithin(text)
  if (words.length === 0) return undefined
  const belongs = kept.flatMap(({ owner, peer }) => [
    ownerToken(owner),
    conversationToken(owner, peerKey(peer)),
  ])
  return { id, tokens: [...belongs, ...words] }
}

export function wordsWithin(text: string): string[] {
  if (!text.includes('<body')) return []
  return wordsOf(bodyText(Stanza.parse(toWire(text))) ?? '')
}
