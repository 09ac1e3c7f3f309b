// Who is mentioned in a room without being there is sent the message (XEP-0452), where its owner wants it so. Who
// has a nick reserved here has asked for it (§2); others are not bothered.

import { toWire } from '../../../lib/xmpp/element.js'
import { forwarded } from '../../../lib/xmpp/forwarding.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { NS_CLIENT } from '../../../lib/xmpp/namespaces.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import type { RoomFeature, Spoken } from '../feature.js'
import type { Room } from '../room.js'
import { mentioned, namesSomebody } from './mentioned.js'
import { isAtLeast } from '../standing.js'

const NS_MENTIONS = 'urn:xmpp:mmn:0'

/** LIM-mentions: people to whom one message is forwarded */
export const MOST_MENTIONS = 20

export const mentions: RoomFeature = {
  name: 'mentions',
  spoken(spoken) {
    const { room, stanza } = spoken
    if (!room.settings.forwardMentions || !namesSomebody(stanza)) return
    const absent = [...mentioned(room, stanza)].filter((account) => isAbsent(room, account))
    if (absent.length > 0) forward(spoken, absent.slice(0, MOST_MENTIONS))
  },
}

function isAbsent(room: Room, account: string): boolean {
  const jid = Jid.parse(account)
  const entry = room.affiliations.entry(jid)
  if (!entry?.nick || !isAtLeast(entry.affiliation, 'member')) return false
  for (const _ of room.occupants.ofAccount(jid)) return false
  return true
}

/** §3.2: whole, with the ids that the room gave it */
function forward({ room, occupant, stanza, envelope }: Spoken, accounts: readonly string[]): void {
  const { host } = room.venue
  const inner = stanza.render(occupant.jid.attr, room.jid.attr, '', NS_CLIENT)
  const copy = `<mentions xmlns='${NS_MENTIONS}'>${forwarded(inner, envelope.arrived)}</mentions>`
  for (const account of accounts) {
    const message = Stanza.parse(`<message id='${toWire(host.random.id())}'>${copy}</message>`)
    host.server.pending(host.router.send(message, { from: room.jid, to: Jid.parse(account) }))
  }
}
