// Pages of the rooms of a service by name (XEP-0045 §6.3, XEP-0059): those that may be found.

import type { Element } from '../../../lib/xmpp/element.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { readPage, resultSet } from '../../../lib/xmpp/result-set.js'
import type { Venue } from '../venue.js'
import { readSettings, type Settings } from '../settings.js'

const MOST = 100

export interface ListedRoom {
  readonly jid: Jid
  readonly name: string
  readonly settings: Settings
}

export async function pageOf(
  venue: Venue,
  element: Element,
): Promise<{ rooms: readonly ListedRoom[]; set: Element }> {
  const { max, after, before } = readPage(element, MOST)
  const rows = await venue.store.page({ after, before, limit: max, hidden: false })
  const rooms = rows.map(({ name, settings }) => {
    const read = readSettings(settings, venue.limits)
    return { jid: venue.addressOf(name), name: read.name || name, settings: read }
  })
  const set = resultSet({ first: rows[0]?.name, last: rows.at(-1)?.name })
  return { rooms, set }
}
