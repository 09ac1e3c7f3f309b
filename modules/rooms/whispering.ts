// A private message (XEP-0045 §7.5): to one occupant by nick, delivered to each of its sessions on the ordinary
// road, so that archives, copies and offline rules have their say.

import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { Visit } from './feature.js'
import { mustBeHere } from './going.js'
import { occupantIdElement } from './people/occupant-ids.js'
import type { Occupant } from './occupants.js'
import { NS_MUC_USER } from './presences.js'
import type { Room } from './room.js'
import { withoutRoomsWord } from './rooms-word.js'
import { hasRole, type Role } from './standing.js'

const LEAST: Readonly<Record<Room['settings']['whoMayWhisper'], Role | undefined>> = {
  anyone: 'visitor',
  participants: 'participant',
  moderators: 'moderator',
  none: undefined,
}

export async function whisper(room: Room, visit: Visit): Promise<undefined> {
  const { stanza, to } = visit.envelope
  if (stanza.type === 'groupchat')
    throw new StanzaError('bad-request', 'a private message is not for everybody')
  const { occupant } = mustBeHere(room, visit)
  const recipient = room.occupants.byNick(to.resource)
  if (!recipient) throw new StanzaError('item-not-found', 'nobody here has this nick')
  checkWhisper(room, occupant, recipient)
  const message = ownWord(stanza, room, occupant)
  const sent = recipient.visitors.map(({ jid }) =>
    room.venue.host.router.send(message, { from: occupant.jid, to: jid }),
  )
  await Promise.all(sent)
}

/** muc#roomconfig_allowpm; to moderators one may always speak, or nobody could ask them for anything. */
function checkWhisper({ settings }: Room, { role }: Occupant, recipient: Occupant): void {
  const least = LEAST[settings.whoMayWhisper]
  if (recipient.role === 'moderator' && settings.whoMayWhisper !== 'none') return
  if (least === undefined || !hasRole(role, least))
    throw new StanzaError('forbidden', 'private messages are not allowed here')
}

/** §7.5: the room's mark, which the sender may have put there for its other devices */
function ownWord(stanza: Stanza, room: Room, occupant: Occupant): Stanza {
  const append = `<x xmlns='${NS_MUC_USER}'/>${occupantIdElement(room, occupant.account)}`
  return withoutRoomsWord(stanza, room.jid).with({ append })
}

/** §7.5: also in its sender's own archive, and on its other devices, it says that it went through a room. */
export function markedWhisper(envelope: Envelope, venue: Jid): Envelope | undefined {
  const { stanza, to } = envelope
  if (to.domain !== venue.domain || to.resource === '' || to.local === '') return undefined
  if (stanza.type === 'groupchat' || stanza.type === 'error') return undefined
  if (stanza.hasNamespace(NS_MUC_USER)) return undefined
  return envelope.with({ stanza: stanza.with({ append: `<x xmlns='${NS_MUC_USER}'/>` }) })
}
