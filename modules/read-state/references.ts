// Which message of a conversation the user has displayed: by the sender's id in a marker (XEP-0333), or
// by the id of the account's archive beside a message of the user's (XEP-0490 §6).

import type { MessageLog } from '../../lib/storage/message-log.js'
import { isBetween } from '../../lib/storage/message-log.js'
import { toWire } from '../../lib/xmpp/element.js'
import { hash53 } from '../../lib/xmpp/hash53.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import { originId } from '../../lib/xmpp/message-references.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

export const NS_DISPLAYED = 'urn:xmpp:mds:displayed:0'

/** What stands in a `<displayed/>` of XEP-0490 */
export interface ShownMark {
  readonly by: string
  readonly id: string
}

export interface Conversation {
  /** The account's number */
  readonly owner: number
  readonly peer: Jid
}

/** XEP-0490 §3: exactly one stanza-id. */
export function readMark(stanza: Stanza): ShownMark | undefined {
  const ids = stanza.child('displayed', NS_DISPLAYED)?.getChildren('stanza-id', NS_STANZA_IDS) ?? []
  const { by, id } = ids[0]?.attrs ?? {}
  return ids.length === 1 && by && id ? { by, id } : undefined
}

/** The newest that is called so; different ids may share a label. */
export async function findLabelled(
  log: MessageLog,
  { owner, peer }: Conversation,
  id: string,
): Promise<number | undefined> {
  const found = await log.labelled({ owner, peer: peer.bare, label: hash53(id) })
  return found.find(({ text }) => {
    const stanza = Stanza.parse(toWire(text))
    return stanza.id === id || originId(stanza) === id
  })?.id
}

/** XEP-0490 §5: an id that is not found in this chat is ignored. */
export async function findNumbered(
  log: MessageLog,
  { owner, peer }: Conversation,
  number: number,
): Promise<number | undefined> {
  const { messages } = await log.page({ owner, ids: [number], limit: 1 })
  return messages[0] && isBetween(messages[0], peer.bare) ? number : undefined
}
