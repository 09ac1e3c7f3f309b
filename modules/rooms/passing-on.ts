// Requests to somebody in the room (XEP-0045 §17.4): passed on under the room's addresses, so that nobody
// learns who it is; and a question about oneself, which the room answers (XEP-0410).

import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { resultReply } from '../../lib/xmpp/replies.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { RoomFeature, Visit } from './feature.js'
import { mustBeHere } from './going.js'
import type { Occupant } from './occupants.js'
import { NS_MUC } from './presences.js'
import type { Room } from './room.js'

const NS_PING = 'urn:xmpp:ping'
const NS_INFO = 'http://jabber.org/protocol/disco#info'
const NS_ITEMS = 'http://jabber.org/protocol/disco#items'
const NS_VCARD = 'vcard-temp'

/** LIM-passed-on: requests of a room whose answers are awaited */
export const MOST_OPEN = 1000

interface Open {
  readonly id: string
  readonly asker: Jid
}

const key = Symbol('requests passed on')

export const selfPing: RoomFeature = {
  name: 'self-ping',
  features: () => [`${NS_MUC}#self-ping-optimization`],
}

export async function passOn(room: Room, visit: Visit): Promise<Stanza | undefined> {
  const { stanza, to } = visit.envelope
  if (stanza.type === 'result' || stanza.type === 'error') return passBack(room, visit)
  // §6.6
  if (!room.occupants.of(visit.envelope.from) && isDisco(stanza))
    throw new StanzaError('bad-request', 'only who is here may ask who is here')
  const { occupant } = mustBeHere(room, visit)
  const asked = room.occupants.byNick(to.resource)
  if (!asked) throw new StanzaError('item-not-found', 'nobody here has this nick')
  // XEP-0410 §3.3: the room knows that it is here.
  if (asked === occupant && stanza.has('ping', NS_PING)) return resultReply(stanza)
  send(room, { visit, occupant, asked })
  return undefined
}

function isDisco(stanza: Stanza): boolean {
  return stanza.hasNamespace(NS_INFO) || stanza.hasNamespace(NS_ITEMS)
}

/** Who answers is the session that is shown; a card is the account's (XEP-0054 §3.2). */
function send(
  room: Room,
  { visit, occupant, asked }: { visit: Visit; occupant: Occupant; asked: Occupant },
): void {
  const { stanza, from } = visit.envelope
  const { host } = room.venue
  const open = openOf(room)
  const id = host.random.id()
  open.set(id, { id: stanza.id, asker: from })
  if (open.size > MOST_OPEN) open.delete(open.keys().next().value!)
  const to = stanza.hasNamespace(NS_VCARD) ? asked.account : asked.visitors[0]!.jid
  host.router.send(stanza.with({ id }), { from: occupant.jid, to })
}

function passBack(room: Room, { envelope }: Visit): undefined {
  const { stanza, from, to } = envelope
  const open = openOf(room)
  const asked = open.get(stanza.id)
  const asker = room.occupants.byNick(to.resource)
  const answering = [...room.occupants.ofAccount(from.bare)][0]
  if (!asked || !answering || !asker?.visitors.some(({ jid }) => jid.equals(asked.asker))) return
  open.delete(stanza.id)
  const addresses = { from: answering.jid, to: asked.asker }
  room.venue.host.router.send(stanza.with({ id: asked.id }), addresses)
}

function openOf({ memo }: Room): Map<string, Open> {
  const known = memo.get(key) as Map<string, Open> | undefined
  if (known) return known
  const open = new Map<string, Open>()
  memo.set(key, open)
  return open
}
