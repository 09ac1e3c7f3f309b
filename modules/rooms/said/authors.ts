// Who said what is kept: with each message its author's real address, as XEP-0313 §6.1.2 shows it to who may see
// it, and whether the room was open about addresses when it was said (100, as in XEP-0045 §7.2.3). What was
// said under a nick alone stays so for everybody but moderators, whatever the room becomes later.
//
// What the log of a room has is not to be shown as it is: `shownAs` comes first, always.

import { toWire, type Wire } from '../../../lib/xmpp/element.js'
import { hash53 } from '../../../lib/xmpp/hash53.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { occupantId } from '../people/occupant-ids.js'
import type { Occupant, Visitor } from '../occupants.js'
import { NS_MUC_USER, NS_OCCUPANT_ID, userElement } from '../presences.js'
import type { Room } from '../room.js'
import { isOpen } from '../settings.js'
import type { Affiliation, Role } from '../standing.js'

const OPENLY = 100

/** Beside a message in the log */
export function authorElement(room: Room, { account, role }: Occupant, { jid }: Visitor): Wire {
  const item = { affiliation: room.affiliationOf(account), role, jid }
  return userElement(item, isOpen(room.settings) ? [OPENLY] : [])
}

/** As the log has it, for somebody who may see all authors, those who spoke openly, or none. */
export function shownAs(text: string, see: 'all' | 'open' | 'none'): Stanza {
  const stanza = Stanza.parse(toWire(text))
  const x = stanza.child('x', NS_MUC_USER)
  if (!x) return stanza
  const bare = stanza.without(({ xmlns }) => xmlns === NS_MUC_USER)
  const openly = x.getChild('status') !== undefined
  const item = x.getChild('item')?.attrs
  if (see === 'none' || (see === 'open' && !openly) || !item) return bare
  const { affiliation, role, jid } = item as { affiliation: Affiliation; role: Role; jid: string }
  return bare.with({ append: userElement({ affiliation, role, jid: Jid.parse(jid) }) })
}

/** The index knows all that one person said in a room by this label, of the occupant id. */
export function authorLabel(occupantId: string): number {
  return hash53(occupantId)
}

/** XEP-0421 §5: whether this person said it, under whatever nick */
export function isAuthor(room: Room, stanza: Stanza, account: Jid): boolean {
  const id = stanza.child('occupant-id', NS_OCCUPANT_ID)?.attrs.id
  return id === occupantId(room, account)
}
