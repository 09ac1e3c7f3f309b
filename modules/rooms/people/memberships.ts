// The rooms that somebody belongs to, for whoever shows all of one's conversations (XEP-0430): with a lasting
// standing, in a room that lasts and keeps what is said. Read from the database: nobody has to be there, and
// no room has to be awake.

import { fromWire } from '../../../lib/xmpp/element.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import type { Logged } from '../../../lib/storage/message-log.js'
import type { ArchiveSource, OtherArchive } from '../../archive/other-archives.js'
import { authorLabel, shownAs } from '../said/authors.js'
import type { MentionStore } from '../said/mention-store.js'
import { occupantIdIn } from './occupant-ids.js'
import { readSettings } from '../settings.js'
import { logNumberOf } from '../store.js'
import type { Venue } from '../venue.js'

/** LIM-memberships: rooms of one account's inbox */
export const MOST_ROOMS = 1000
const BELONGING = ['member', 'admin', 'owner']

interface Row {
  readonly number: number
  readonly name: string
  readonly settings: string
}

export function memberships(venue: Venue, named: MentionStore): ArchiveSource {
  const { host, limits } = venue
  return {
    of: (account) => rooms(account),
    async find(account, peer) {
      if (peer.domain !== venue.jid.domain || peer.local === '') return undefined
      return (await rooms(account, peer.local))[0]
    },
    mentions: (account) => named.of(account),
  }

  async function rooms(account: Jid, name?: string): Promise<OtherArchive[]> {
    const found = host.database
      .reader('room_affiliations')
      .join('rooms', 'rooms.number', 'room_affiliations.room')
      .where({ host: host.domain, jid: account.bare.text, locked: false })
      .whereIn('affiliation', BELONGING)
    if (name !== undefined) found.where({ name })
    const rows: Row[] = await found.limit(MOST_ROOMS).select('number', 'name', 'settings')
    return rows.flatMap((row) => archiveOf(row, account) ?? [])
  }

  function archiveOf({ number, name, settings }: Row, account: Jid): OtherArchive | undefined {
    const { persistent, archived } = readSettings(settings, limits)
    if (!persistent || !archived) return undefined
    return {
      peer: venue.addressOf(name),
      owner: logNumberOf({ number }),
      mine: authorLabel(occupantIdIn(number, account, venue)),
      shown,
    }
  }
}

function shown(logged: Logged): Logged {
  return { ...logged, to: '', text: fromWire(shownAs(logged.text, 'none').render('', '')) }
}
