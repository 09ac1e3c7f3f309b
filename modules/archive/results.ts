// A page on its way to the session that asked (XEP-0313 §4.2): one message for each result, from the
// account's own address. What the log has is text already, and goes around no tree.

import type { Session } from '../../lib/core/session.js'
import { momentOf } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { escapeXml, type Element, toWire, type Wire, xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { forwarded } from '../../lib/xmpp/forwarding.js'
import { resultSet } from '../../lib/xmpp/result-set.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'
import type { ShownPage } from './pages.js'
import type { FoundPage } from './reading.js'

type Seal = (number: number) => string

interface Naming {
  readonly seal: Seal
  readonly queryId: string | undefined
}

/** To a session of this node, which has room for it. */
export function writePage(session: Session, { messages, queryId }: ShownPage, seal: Seal): void {
  const arrived = session.host.clock.now()
  const { account: from, jid: to } = session
  for (const logged of messages) {
    const stanza = resultStanza(result(logged, { seal, queryId }))
    session.write(new Envelope({ stanza, from, to, origin: 'local', arrived }))
  }
}

export function result(logged: Logged, { seal, queryId }: Naming): Wire {
  const query = queryId === undefined ? '' : ` queryid='${toWire(escapeXml(queryId))}'`
  const inner = forwarded(original(logged), momentOf(logged.id))
  return `<result xmlns='${NS_ARCHIVE}'${query} id='${seal(logged.id)}'>${inner}</result>`
}

/** The message around one result */
export function resultStanza(content: Wire): Stanza {
  const children = [{ name: 'result', xmlns: NS_ARCHIVE, start: 0, end: content.length }]
  return new Stanza({
    kind: 'message',
    type: '',
    id: '',
    to: undefined,
    from: undefined,
    lang: '',
    attributes: '',
    content,
    children,
  })
}

const START = '<message'

/** The stanza with the addresses that it had; it stands alone (XEP-0297 §3.2). */
function original({ from, to, text }: Logged): Wire {
  // XEP-0313 §6.1.2: what was said in a room was said to nobody.
  const recipient = to === '' ? '' : ` to='${toWire(escapeXml(to))}'`
  const addresses = ` from='${toWire(escapeXml(from))}'${recipient}`
  return `${START} xmlns='jabber:client'${addresses}${toWire(text.slice(START.length))}`
}

/** XEP-0313 §4.3.2. A page that is flipped has the same ends (§4.3.4). */
export function fin({ messages, complete }: FoundPage, seal: Seal): Element {
  const first = messages[0]
  const last = messages.at(-1)
  const ends = first && last ? { first: seal(first.id), last: seal(last.id) } : {}
  return xml('fin', { xmlns: NS_ARCHIVE, complete: complete ? 'true' : undefined }, resultSet(ends))
}
