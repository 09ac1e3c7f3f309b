// What the service and its rooms tell of themselves (XEP-0045 §6): who does not know a hidden room does not find
// it, and who is not in a room is not told who is.

import { stampOf } from '../../../lib/xmpp/delay.js'
import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { type Field, form } from '../../../lib/xmpp/forms.js'
import { pageOf } from './room-list.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import { NS_MUC } from '../presences.js'
import type { ServiceIq } from '../reception.js'
import type { Room } from '../room.js'
import type { Venue } from '../venue.js'
import { isAtLeast } from '../standing.js'
import { subjectText } from '../subject.js'

const NS_INFO = 'http://jabber.org/protocol/disco#info'
const NS_ITEMS = 'http://jabber.org/protocol/disco#items'
/** §7.4: a message keeps its id. */
const STABLE_ID = `${NS_MUC}#stable_id`
/** §18.1.1 */
const TRAFFIC = `${NS_MUC}#traffic`
const NS_PING = 'urn:xmpp:ping'

export const roomDisco: RoomFeature = {
  name: 'disco',
  iq: [
    { get: 'query', xmlns: NS_INFO, reads: true, answer: info },
    { get: 'query', xmlns: NS_ITEMS, reads: true, answer: items },
    { get: 'ping', xmlns: NS_PING, reads: true, answer: () => undefined },
  ],
  features: () => [NS_INFO, NS_ITEMS, NS_PING, NS_MUC, STABLE_ID],
  identities: ({ settings, jid }) => [
    { category: 'conference', type: 'text', name: settings.name || jid.local },
  ],
}

async function info(request: RoomRequest): Promise<Element> {
  const { room } = request
  const { node } = request.element.attrs
  if (node) {
    for (const { nodeInfo } of room.venue.features) {
      const found = await nodeInfo?.(request, node)
      if (found) return xml('query', { xmlns: NS_INFO, node }, ...found)
    }
    // Nothing that somebody says is left out, whatever its namespace.
    throw new StanzaError(node === TRAFFIC ? 'service-unavailable' : 'item-not-found')
  }
  const { features } = room.venue
  const identities = features.flatMap((feature) => feature.identities?.(room) ?? [])
  const names = features.flatMap((feature) => feature.features?.(room) ?? [])
  return xml(
    'query',
    NS_INFO,
    ...identities.map((identity) => xml('identity', { ...identity })),
    ...[...new Set([...names, ...kinds(room)])].sort().map((name) => xml('feature', { var: name })),
    roomInfo(room),
  )
}

/** §4.2, §6.4 */
function kinds({ settings }: Room): string[] {
  return [
    settings.hidden ? 'muc_hidden' : 'muc_public',
    settings.membersOnly ? 'muc_membersonly' : 'muc_open',
    settings.moderated ? 'muc_moderated' : 'muc_unmoderated',
    settings.whois === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous',
    settings.password === '' ? 'muc_unsecured' : 'muc_passwordprotected',
    settings.persistent ? 'muc_persistent' : 'muc_temporary',
  ]
}

function roomInfo(room: Room): Element {
  const { settings } = room
  const flag = (value: boolean): string => (value ? '1' : '0')
  const fields: Field[] = [
    { name: 'muc#roominfo_description', value: settings.description },
    { name: 'muc#roominfo_lang', value: settings.language },
    { name: 'muc#roominfo_occupants', value: String(room.occupants.size) },
    { name: 'muc#roominfo_subject', value: subjectText(room) },
    { name: 'muc#roominfo_subjectmod', value: flag(settings.anyoneMaySetSubject) },
    { name: 'muc#roomconfig_roomname', value: settings.name },
    { name: 'muc#roomconfig_changesubject', value: flag(settings.anyoneMaySetSubject) },
    { name: 'muc#maxhistoryfetch', value: String(settings.history) },
    { name: 'muc#roominfo_creationdate', value: stampOf(room.created) },
    ...room.venue.features.flatMap((feature) => feature.info?.(room) ?? []),
  ]
  return form({ type: 'result', of: `${NS_MUC}#roominfo`, fields })
}

/** §6.5, §6.6 */
async function items(request: RoomRequest): Promise<Element> {
  const { room, occupant, affiliation } = request
  const { node } = request.element.attrs
  if (node) {
    for (const { nodeItems } of room.venue.features) {
      const found = await nodeItems?.(request, node)
      if (found)
        return xml(
          'query',
          { xmlns: NS_ITEMS, node },
          ...found.map((one) => xml('item', { ...one })),
        )
    }
    throw new StanzaError('item-not-found')
  }
  const may = occupant !== undefined || isAtLeast(affiliation, 'member') || isPublic(room)
  const there = may ? [...room.occupants.all()] : []
  return xml('query', NS_ITEMS, ...there.map(({ jid }) => xml('item', { jid: jid.text })))
}

function isPublic({ settings }: Room): boolean {
  return !settings.hidden && !settings.membersOnly && settings.password === ''
}

// The service

export function serviceDisco(features: readonly RoomFeature[]): readonly ServiceIq[] {
  return [
    { get: 'query', xmlns: NS_INFO, answer: ({ element }) => serviceInfo(element, features) },
    {
      get: 'query',
      xmlns: NS_ITEMS,
      answer: ({ venue, element }) => serviceItems(venue, element),
    },
    { get: 'ping', xmlns: NS_PING, answer: () => undefined },
  ]
}

function serviceInfo(element: Element, features: readonly RoomFeature[]): Element {
  if (element.attrs.node) throw new StanzaError('item-not-found')
  const own = features.flatMap(({ serviceFeatures }) => serviceFeatures ?? [])
  const names = [
    NS_INFO,
    NS_ITEMS,
    NS_PING,
    NS_MUC,
    STABLE_ID,
    'http://jabber.org/protocol/rsm',
    ...own,
  ]
  return xml(
    'query',
    NS_INFO,
    xml('identity', { category: 'conference', type: 'text', name: 'Rooms' }),
    ...[...new Set(names)].sort().map((name) => xml('feature', { var: name })),
  )
}

/** §6.3: those that are not hidden, a page at a time (XEP-0059). */
async function serviceItems(venue: Venue, element: Element): Promise<Element> {
  if (element.attrs.node) throw new StanzaError('item-not-found')
  const { rooms, set } = await pageOf(venue, element)
  const listed = rooms.map(({ jid, name }) => xml('item', { jid: jid.text, name }))
  return xml('query', NS_ITEMS, ...listed, set)
}
