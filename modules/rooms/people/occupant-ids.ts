// The same person has the same id in a room, whatever the nick (XEP-0421): a keyed hash of room and address, so
// that it says nothing about who it is, and nothing in other rooms.

import { createHmac } from 'node:crypto'
import type { Wire } from '../../../lib/xmpp/element.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import type { RoomFeature } from '../feature.js'
import { NS_OCCUPANT_ID } from '../presences.js'
import type { Room } from '../room.js'

/** LIM-occupant-ids: remembered of one room */
export const MOST_KNOWN = 5000

const key = Symbol('occupant ids')

export function occupantId(room: Room, account: Jid): string {
  let known = room.memo.get(key) as Map<string, string> | undefined
  if (!known) room.memo.set(key, (known = new Map()))
  const there = known.get(account.bare.text)
  if (there !== undefined) return there
  const id = occupantIdIn(room.number, account, room.venue)
  known.set(account.bare.text, id)
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
  return id
}

/** Also of a room that is not at hand */
export function occupantIdIn(number: number, account: Jid, { secret }: { secret: Buffer }): string {
  // §4: of a room that was destroyed and made again they are others.
  const text = `${number}\n${account.bare.text}`
  return createHmac('sha256', secret).update(text).digest('base64url')
}

export function occupantIdElement(room: Room, account: Jid): Wire {
  return `<occupant-id xmlns='${NS_OCCUPANT_ID}' id='${occupantId(room, account)}'/>`
}

export const occupantIds: RoomFeature = {
  name: 'occupant ids',
  features: () => [NS_OCCUPANT_ID],
  // §4: no room is without them.
  serviceFeatures: [NS_OCCUPANT_ID],
  decorate: (room, { account }) => occupantIdElement(room, account),
  amend: (stanza, { room, occupant }) =>
    stanza.with({ append: occupantIdElement(room, occupant.account) }),
}
