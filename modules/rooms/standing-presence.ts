// What somebody who comes is shown of those who are here: made once for who may see real addresses and once
// for who may not, however many come, and anew when something of it has changed.

import type { Wire } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { Occupant } from './occupants.js'
import { userElement } from './presences.js'
import type { Room } from './room.js'
import type { Affiliation, Role } from './standing.js'

/** All that it is made of */
interface Made {
  readonly presence: Stanza
  readonly jid: Jid
  readonly role: Role
  readonly affiliation: Affiliation
  readonly decoration: Wire
  open: Stanza | undefined
  closed: Stanza | undefined
}

const known = new WeakMap<Occupant, Made>()

/** `open`: with the real address (XEP-0045 §7.1.3) */
export function standingPresence(room: Room, occupant: Occupant, open: boolean): Stanza {
  const made = madeOf(room, occupant)
  const there = open ? made.open : made.closed
  if (there) return there
  const { presence, jid, role, affiliation, decoration } = made
  const item = { affiliation, role, jid: open ? jid : undefined }
  const stanza = presence.with({ append: decoration + userElement(item) })
  if (open) made.open = stanza
  else made.closed = stanza
  return stanza
}

function madeOf(room: Room, occupant: Occupant): Made {
  const { presence, jid } = occupant.visitors[0]!
  const { role } = occupant
  const affiliation = room.affiliationOf(occupant.account)
  const decoration = decorationOf(room, occupant)
  const there = known.get(occupant)
  if (
    there?.presence === presence &&
    there.jid === jid &&
    there.role === role &&
    there.affiliation === affiliation &&
    there.decoration === decoration
  )
    return there
  const made = { presence, jid, role, affiliation, decoration, open: undefined, closed: undefined }
  known.set(occupant, made)
  return made
}

/** What features say of an occupant beside the room's own word */
export function decorationOf(room: Room, occupant: Occupant): Wire {
  let decoration = ''
  for (const { decorate } of room.venue.features)
    if (decorate) decoration += decorate(room, occupant)
  return decoration
}
