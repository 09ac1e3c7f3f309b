// The archive of a room (XEP-0313): one copy of each message, in the order in which everybody got them. The room's
// owner reads it and sends the results to whoever asked; none comes after the end of its page. How often
// somebody may ask is seen to where the question came in.

import { untilRoom } from '../../../lib/core/long-answers.js'
import type { QueryPace } from '../../../lib/core/query-pace.js'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { hash53 } from '../../../lib/xmpp/hash53.js'
import { NS_ARCHIVE, NS_STANZA_IDS } from '../../../lib/xmpp/message-children.js'
import { fromWire } from '../../../lib/xmpp/element.js'
import type { Logged } from '../../../lib/storage/message-log.js'
import type { ArchivePages } from '../../archive/pages.js'
import { resultStanza } from '../../archive/results.js'
import type { AskedFor } from '../asked-for.js'
import { checkMayRead, seenBy } from './archive-access.js'
import { shownAs } from './authors.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import type { Venue } from '../venue.js'

interface RoomArchive {
  readonly pages: ArchivePages
  readonly askedFor: AskedFor
  readonly pace: QueryPace | undefined
}

export function roomArchive({ pages, pace, askedFor }: RoomArchive): RoomFeature {
  const own = { xmlns: NS_ARCHIVE, reads: true, apart: true }
  return {
    name: 'archive',
    iq: [
      { get: 'query', ...own, answer: (request) => checked(request, () => pages.form()) },
      { set: 'query', ...own, answer: (request) => checked(request, () => query(request)) },
      {
        get: 'metadata',
        ...own,
        answer: (request) => checked(request, () => pages.metadata(request.room.logNumber)),
      },
    ],
    asked: turn,
    close: () => askedFor.close(),
    features: ({ settings }) =>
      settings.archived
        ? [NS_ARCHIVE, `${NS_ARCHIVE}#extended`, NS_STANZA_IDS, ...pages.features]
        : [],
    info: ({ settings }) => [
      { name: 'muc#roomconfig_enablearchiving', value: settings.archived ? '1' : '0' },
    ],
  }

  async function query(request: RoomRequest): Promise<Element> {
    const { room, element, from, node } = request
    const page = await pages.page(room.logNumber, pages.read(element))
    // While it was read somebody may have been sent out.
    const now = {
      room,
      node,
      affiliation: room.affiliationOf(from),
      occupant: room.occupants.of(from),
    }
    checkMayRead(now)
    const seen = seenBy(now)
    for (const logged of page.messages) {
      const result = pages.result(shown(logged, seen), page.queryId)
      askedFor.send(resultStanza(result), { from: room.jid, to: from, node })
    }
    return page.fin
  }

  /** LIM-archive-queries. Who reads slowly is given no more before it has taken what it asked for. */
  async function turn({ host }: Venue, { stanza, from }: Envelope): Promise<void> {
    if (stanza.children[0]?.xmlns !== NS_ARCHIVE) return
    const session = host.server.hosts.get(from.domain)?.sessions.find(from)
    // Accounts have numbers from one on.
    await pace?.turn(session?.number ?? -1 - hash53(from.bare.text))
    if (session) await untilRoom(session)
  }
}

function checked<T>(request: RoomRequest, answer: () => T): T {
  checkMayRead(request)
  return answer()
}

/** XEP-0313 §6.1.2: said by somebody in the room, to nobody */
function shown(logged: Logged, seen: ReturnType<typeof seenBy>): Logged {
  const text = fromWire(shownAs(logged.text, seen).render('', ''))
  return { ...logged, to: '', text }
}
