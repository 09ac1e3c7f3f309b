// What a frame between nodes carries beside what they say to each other (cluster/talk.ts): a stanza for one
// session, with its trusted addresses and its text as it is; or a message that is in the log now, for
// whoever of its accounts is there. The head is JSON, a list; the text follows in a line of its own.

import { Envelope, type Origin } from '../xmpp/envelope.js'
import { Jid } from '../xmpp/jid.js'
import { Stanza } from '../xmpp/stanza.js'
import type { LoggedMessage } from '../storage/logged-message.js'
import type { Recorded, RecordedSide } from '../storage/message-log.js'

type StanzaHead = [
  session: string,
  from: string,
  to: string,
  arrived: number,
  origin: Origin,
  addressed: boolean,
]

/** Of either side owner (a guest is below zero), flags, and the message before it (-1: unknown); 0 for none */
type LogHead = [
  id: number,
  from: string,
  to: string,
  sender: number,
  sent: number,
  beforeSent: number,
  recipient: number,
  received: number,
  beforeReceived: number,
]

export type Frame =
  | { readonly session: string; readonly envelope: Envelope }
  | { readonly recorded: Recorded }

export function encodeStanza(session: string, envelope: Envelope): Buffer {
  const { from, to, arrived, origin, addressed } = envelope
  const head: StanzaHead = [session, from.text, to.text, arrived, origin, addressed]
  return encode(head, envelope.stanza.render('', '', envelope.annotations))
}

export function encodeLogged({ id, from, to, sender, recipient, text }: LoggedMessage): Buffer {
  const sides = [sender, recipient].flatMap((side) =>
    side ? [side.owner, side.flags, side.previous ?? -1] : [0, 0, 0],
  )
  return encode([id, from.text, to.text, ...sides] as LogHead, text)
}

function encode(head: StanzaHead | LogHead, text: string): Buffer {
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'),
    Buffer.from(text, 'latin1'),
  ])
}

export function readFrame(frame: Buffer): Frame {
  const end = frame.indexOf(10)
  const head = JSON.parse(frame.toString('utf8', 0, end)) as StanzaHead | LogHead
  if (isOfLog(head)) return { recorded: readRecorded(head, frame.toString('utf8', end + 1)) }
  const [session, from, to, arrived, origin, addressed] = head
  const stanza = Stanza.parse(frame.toString('latin1', end + 1))
  const addresses = { from: Jid.parse(from), to: Jid.parse(to) }
  return { session, envelope: new Envelope({ stanza, ...addresses, arrived, origin, addressed }) }
}

function isOfLog(head: StanzaHead | LogHead): head is LogHead {
  return typeof head[0] === 'number'
}

function readRecorded(head: LogHead, text: string): Recorded {
  const [id, from, to, ...numbers] = head
  const [sender, sent, beforeSent, recipient, received, beforeReceived] = numbers
  const sides: RecordedSide[] = []
  if (sender !== 0)
    sides.push({ owner: sender, flags: sent, previous: beforeSent, peer: Jid.parse(to) })
  if (recipient !== 0)
    sides.push({
      ...{ owner: recipient, flags: received, previous: beforeReceived },
      peer: Jid.parse(from),
    })
  return { id, from, to, text, sides }
}
