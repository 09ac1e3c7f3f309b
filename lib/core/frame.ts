// A stanza between nodes: the session it is for, its trusted addresses and its text as it is. Without
// a stanza a frame says that the session's address was bound elsewhere: it is to end.

import { Envelope, type Origin } from '../xmpp/envelope.js'
import { Jid } from '../xmpp/jid.js'
import { Stanza } from '../xmpp/stanza.js'

type Head = [
  session: string,
  from: string,
  to: string,
  arrived: number,
  origin: Origin,
  addressed: boolean,
  logId: number,
]

export function encodeEnd(session: string): Buffer {
  return Buffer.from(JSON.stringify([session]), 'utf8')
}

export function encodeFrame(session: string, envelope: Envelope): Buffer {
  const { from, to, arrived, origin, addressed, logId } = envelope
  const head: Head = [session, from.text, to.text, arrived, origin, addressed, logId]
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'),
    Buffer.from(envelope.stanza.render('', '', envelope.annotations), 'latin1'),
  ])
}

export function readFrame(frame: Buffer): { session: string; envelope: Envelope | undefined } {
  const end = frame.indexOf(10)
  if (end < 0) {
    const [session] = JSON.parse(frame.toString('utf8')) as [string]
    return { session, envelope: undefined }
  }
  const head = JSON.parse(frame.toString('utf8', 0, end)) as Head
  const [session, from, to, arrived, origin, addressed, logId] = head
  const stanza = Stanza.parse(frame.toString('latin1', end + 1))
  const addresses = { from: Jid.parse(from), to: Jid.parse(to) }
  const facts = { arrived, origin, addressed, logId }
  return { session, envelope: new Envelope({ stanza, ...addresses, ...facts }) }
}
