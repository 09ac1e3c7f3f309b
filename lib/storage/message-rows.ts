// A row of `messages` and what follows from it: who has the message, and the rows that it makes in the
// index.

import { Jid } from '../xmpp/jid.js'
import type { IndexRow, Recorded } from './message-log.js'

/** The accounts that have a message */
export interface Sides {
  readonly id: number
  readonly sender: number | null
  readonly recipient: number | null
}

interface FlaggedSides extends Sides {
  readonly sender_flags: number
  readonly recipient_flags: number
}

export interface StoredMessage extends FlaggedSides {
  readonly sent_by: string
  readonly sent_to: string
  readonly text: string
}

/** What the index is made from; on PostgreSQL it is made at once, and this is not kept. */
export interface IndexedMessage extends FlaggedSides {
  readonly from_peer: number
  readonly to_peer: number
  readonly label: number
}

export function ownersOf({ sender, recipient }: Sides): number[] {
  return [sender, recipient].filter((owner) => owner !== null)
}

export function recorded(row: StoredMessage): Recorded {
  const { id, sent_by: from, sent_to: to, text } = row
  const sides = []
  if (row.sender !== null)
    sides.push({ owner: row.sender, flags: row.sender_flags, peer: Jid.parse(to) })
  if (row.recipient !== null)
    sides.push({ owner: row.recipient, flags: row.recipient_flags, peer: Jid.parse(from) })
  return { id, from, to, text, sides }
}

/** The rows of the index that a message makes; a message to oneself makes one. */
export function indexRows(message: IndexedMessage): IndexRow[] {
  const { id, label, sender, recipient } = message
  const rows: IndexRow[] = []
  if (sender !== null)
    rows.push({ owner: sender, id, peer: message.to_peer, flags: message.sender_flags, label })
  if (recipient !== null) {
    const flags = message.recipient_flags
    rows.push({ owner: recipient, id, peer: message.from_peer, flags, label })
  }
  return rows
}
