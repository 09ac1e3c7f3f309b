// A conversation on its way to the session that asked (XEP-0430 §4): the entry, and beside it the newest
// message as the archive would show it.

import type { Session } from '../../lib/core/session.js'
import type { Wire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { NS_INBOX } from '../../lib/xmpp/message-children.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { ArchiveApi } from '../archive/archive.js'
import type { Shown } from './conversations.js'

interface Writing {
  readonly archive: Pick<ArchiveApi, 'seal' | 'result'>
  readonly queryId: string
}

export function writeEntry(session: Session, shown: Shown, writing: Writing): void {
  session.write(
    new Envelope({
      stanza: Stanza.parse(`<message>${content(shown, writing)}</message>`),
      from: session.account,
      to: session.jid,
      origin: 'local',
      arrived: session.host.clock.now(),
    }),
  )
}

function content({ conversation, message }: Shown, { archive, queryId }: Writing): Wire {
  const { peer, id, unread, mentions = 0 } = conversation
  const name = archive.seal(id)
  const head = `<entry xmlns='${NS_INBOX}' jid='${peer.attr}' unread='${unread}' id='${name}'`
  const entry = mentions > 0 ? `${head}>${mentioned(mentions)}</entry>` : `${head}/>`
  return message ? entry + archive.result(message, queryId) : entry
}

/** XEP-0430 counts no mentions; who does not know this element sees what is unread. */
function mentioned(count: number): Wire {
  return `<mentions xmlns='urn:tercet:inbox:0' count='${count}'/>`
}
