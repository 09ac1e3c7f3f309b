// A conversation on its way to the session that asked (XEP-0430 §4): the entry, and beside it the newest
// message as the archive would show it.

import { envelopeOf } from '../../lib/core/catch-up.js'
import type { Session } from '../../lib/core/session.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { momentOf } from '../../lib/storage/logged-message.js'
import { escapeXml, toWire, type Wire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { forwarded } from '../../lib/xmpp/forwarding.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { NS_ARCHIVE } from '../archive/namespaces.js'
import type { Conversation } from './conversations.js'
import { NS_INBOX, type Question } from './question.js'

interface Terms {
  question: Question
  seal(number: number): string
  /** What is shown beside the conversation, if anything */
  latest: Logged | undefined
}

export function writeEntry(session: Session, conversation: Conversation, terms: Terms): void {
  const { peer, id, unread } = conversation
  const name = terms.seal(id)
  const entry = `<entry xmlns='${NS_INBOX}' jid='${peer.attr}' unread='${unread}' id='${name}'/>`
  const result = terms.latest ? resultOf(terms.latest, terms) : ''
  session.write(
    new Envelope({
      stanza: Stanza.parse(`<message>${entry}${result}</message>`),
      from: session.account,
      to: session.jid,
      origin: 'local',
      arrived: session.host.clock.now(),
    }),
  )
}

function resultOf(logged: Logged, { question, seal }: Terms): Wire {
  const query = toWire(escapeXml(question.queryId))
  const original = envelopeOf(logged).wireFor(toWire(NS_CLIENT))
  const inner = forwarded(original, momentOf(logged.id))
  const name = seal(logged.id)
  return `<result xmlns='${NS_ARCHIVE}' queryid='${query}' id='${name}'>${inner}</result>`
}
