// A row of `messages` and what follows from it: who has the message, and the rows that it makes in the
// index.

import { Jid } from '../xmpp/jid.js'
import type { IndexRow, Recorded } from './message-log.js'

export interface StoredMessage {
  id: number
  sender: number | null
  recipient: number | null
  sender_flags: number
  recipient_flags: number
  sent_by: string
  sent_to: string
  text: string
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
export function indexRows(message: {
  id: number
  sender: number | null
  recipient: number | null
  sender_flags: number
  recipient_flags: number
  from: number
  to: number
  label: number
}): IndexRow[] {
  const { id, label } = message
  const rows: IndexRow[] = []
  if (message.sender !== null)
    rows.push({ owner: message.sender, id, peer: message.to, flags: message.sender_flags, label })
  if (message.recipient !== null) {
    const flags = message.recipient_flags
    rows.push({ owner: message.recipient, id, peer: message.from, flags, label })
  }
  return rows
}
