// Finding the message that somebody means by its id: the log knows a hash of it, so what is found is
// looked at, and of several the newest is meant.

import { toWire } from '../xmpp/element.js'
import { hash53 } from '../xmpp/hash53.js'
import type { Jid } from '../xmpp/jid.js'
import { originId } from '../xmpp/message-references.js'
import { Stanza } from '../xmpp/stanza.js'
import type { MessageLog } from './message-log.js'

interface Within {
  /** The account's number */
  readonly owner: number
  readonly peer: Jid
}

/** Its number; different ids may share a label. */
export async function findCalled(
  log: MessageLog,
  { owner, peer }: Within,
  id: string,
): Promise<number | undefined> {
  const found = await log.labelled({ owner, peer: peer.bare, label: hash53(id) })
  return found.find(({ text }) => isCalled(Stanza.parse(toWire(text)), id))?.id
}

/** Clients refer by either of the two. */
export function isCalled(stanza: Stanza, id: string): boolean {
  return stanza.id === id || originId(stanza) === id
}
