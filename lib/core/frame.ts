// A stanza between nodes: the session it is for, its trusted addresses and its text as it is.

import { xml } from '../xmpp/element.js'
import { Envelope } from '../xmpp/envelope.js'
import { Jid } from '../xmpp/jid.js'
import { Stanza } from '../xmpp/stanza.js'
import { parseTree } from '../xmpp/tree.js'

export function encodeFrame(session: string, envelope: Envelope): Buffer {
  const head = JSON.stringify([session, envelope.from.text, envelope.to.text, envelope.arrived])
  return Buffer.concat([
    Buffer.from(`${head}\n`, 'utf8'),
    Buffer.from(envelope.stanza.render('', '', envelope.annotations), 'latin1'),
  ])
}

export function readFrame(frame: Buffer): { session: string; envelope: Envelope } {
  const end = frame.indexOf(10)
  const [session, from, to, arrived] = JSON.parse(frame.toString('utf8', 0, end)) as [
    string,
    string,
    string,
    number,
  ]
  const element = parseTree(frame.toString('latin1', end + 1))
  return {
    session,
    envelope: new Envelope({
      stanza: Stanza.of(element ?? xml('message')),
      from: Jid.parse(from),
      to: Jid.parse(to),
      origin: 'local',
      arrived,
    }),
  }
}
