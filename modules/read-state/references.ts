// Which message of a conversation the user has displayed, by the id of the account's archive beside a
// message of the user's (XEP-0490 §6).

import type { MessageLog } from '../../lib/storage/message-log.js'
import { isBetween } from '../../lib/storage/message-log.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

export const NS_DISPLAYED = 'urn:xmpp:mds:displayed:0'

/** What stands in a `<displayed/>` of XEP-0490 */
export interface ShownMark {
  readonly by: string
  readonly id: string
}

interface Conversation {
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

/** XEP-0490 §5: an id that is not found in this chat is ignored. */
export async function findNumbered(
  log: MessageLog,
  { owner, peer }: Conversation,
  number: number,
): Promise<number | undefined> {
  const { messages } = await log.page({ owner, ids: [number], limit: 1 })
  return messages[0] && isBetween(messages[0], peer.bare) ? number : undefined
}
