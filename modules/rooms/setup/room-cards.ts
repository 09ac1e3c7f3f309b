// A room's card and picture (XEP-0486): set by its owners as a vCard, fetched by whoever may know the room. That
// there is a picture, and which, stands in what the room tells of itself; those who are here hear it when it
// changes, and by presence from the room itself, which older clients look for (§5.2).

import { createHash } from 'node:crypto'
import { cutOut } from '../../../lib/xmpp/cut-out.js'
import { type Element, fromWire, serialize, toWire, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Field } from '../../../lib/xmpp/forms.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { parseTree } from '../../../lib/xmpp/tree.js'
import type { CardStore } from './card-store.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import type { Visitor } from '../occupants.js'
import { tellCodes } from './owning.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'

const NS_CARD = 'vcard-temp'
const NS_UPDATE = 'vcard-temp:x:update'
/** What clients asked before XEP-0486 named a field */
const OLD_FIELD = '{http://modules.prosody.im/mod_vcard_muc}avatar#sha1'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** LIM-room-pictures: versions of a room's picture in its card */
const MOST_PICTURES = 5

const key = Symbol('hashes of pictures')

function hashesOf({ memo }: Room): readonly string[] {
  return (memo.get(key) as readonly string[] | undefined) ?? []
}

export function roomCards(store: CardStore, mostBytes: number): RoomFeature {
  return {
    name: 'cards',
    iq: [
      { get: 'vCard', xmlns: NS_CARD, reads: true, answer: get },
      { set: 'vCard', xmlns: NS_CARD, answer: set },
    ],
    features: () => [NS_CARD],
    serviceFeatures: [NS_CARD],
    serviceIq: [{ get: 'vCard', xmlns: NS_CARD, answer: serviceCard }],
    info: (room) => pictureFields(hashesOf(room)),
    entered: (room, _, visitor) => {
      if (hashesOf(room).length > 0) showPicture(room, [visitor])
    },
    async taken(room) {
      room.memo.set(key, await store.hashes(room.number))
    },
    destroyed: (room, entry) => store.remove(entry, room.number),
  }

  async function get(request: RoomRequest): Promise<Element> {
    mayKnow(request)
    const card = await store.card(request.room.number)
    // XEP-0054 §3.1: an empty one is one of two answers where there is none.
    return card === undefined ? xml('vCard', NS_CARD) : parseTree(toWire(card))
  }

  /** XEP-0486 §3.2 */
  async function set({ room, element, affiliation }: RoomRequest): Promise<void> {
    if (affiliation !== 'owner')
      throw new StanzaError('forbidden', 'only owners may set the card of a room')
    const card = serialize(cutOut(element))
    if (card.length > mostBytes) throw new StanzaError('not-acceptable', 'this card is too large')
    const hashes = pictureHashes(element)
    await room.commit((entry) => {
      if (element.children.length === 0) store.remove(entry, room.number)
      else store.put(entry, room.number, { card: fromWire(card), hashes })
    })
    const before = hashesOf(room)
    room.memo.set(key, hashes)
    tellCodes(room, [104])
    if (before.join() !== hashes.join()) showPicture(room, room.occupants.visitors())
  }
}

/** Of a room that is hidden and closed to others its members alone see the card. */
function mayKnow({ room, affiliation, occupant }: RoomRequest): void {
  const { settings, locked } = room
  if (affiliation === 'outcast') throw new StanzaError('forbidden', 'you are banned from this room')
  if (locked && affiliation !== 'owner')
    throw new StanzaError('item-not-found', 'the room is locked')
  if (!settings.hidden || !settings.membersOnly || occupant) return
  if (!isAtLeast(affiliation, 'member'))
    throw new StanzaError('registration-required', 'only members may see the card')
}

/** XEP-0153 §3.1, of each version of the picture (XEP-0486 §5.1) */
function pictureHashes(card: Element): string[] {
  const pictures = card
    .getChildren('PHOTO')
    .map((photo) => photo.getChildText('BINVAL')?.replace(/\s+/g, '') ?? '')
    .filter((data) => data !== '')
  if (pictures.length > MOST_PICTURES)
    throw new StanzaError('not-acceptable', `a card has no more than ${MOST_PICTURES} pictures`)
  return pictures.map((data) => {
    if (!BASE64.test(data)) throw new StanzaError('bad-request', 'the picture is not in base64')
    return createHash('sha1').update(Buffer.from(data, 'base64')).digest('hex')
  })
}

/** XEP-0486 §3.3, §4: nothing where there is no picture. */
function pictureFields(hashes: readonly string[]): readonly Field[] {
  if (hashes.length === 0) return []
  return [
    { name: 'muc#roominfo_avatarhash', type: 'text-multi', value: hashes },
    { name: OLD_FIELD, type: 'text-single', value: hashes[0]! },
  ]
}

/** XEP-0486 §5.2, XEP-0153 §3.2: an empty photo says that there is none. */
function showPicture(room: Room, visitors: Iterable<Visitor>): void {
  const photo = xml('photo', {}, hashesOf(room)[0])
  const stanza = Stanza.of(xml('presence', {}, xml('x', NS_UPDATE, photo)))
  room.send(stanza, room.jid, visitors)
}

function serviceCard(): Element {
  return xml('vCard', NS_CARD, xml('FN', {}, 'Rooms'))
}
