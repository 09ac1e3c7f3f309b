// A name for a room that no other has (XEP-0307): drawn, not kept. Nobody draws it twice.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import type { RoomFeature } from '../feature.js'
import { NS_MUC } from '../presences.js'
import type { ServiceRequest } from '../reception.js'

const NS_UNIQUE = `${NS_MUC}#unique`

export const uniqueNames: RoomFeature = {
  name: 'unique names',
  serviceFeatures: [NS_UNIQUE],
  serviceIq: [{ get: 'unique', xmlns: NS_UNIQUE, answer: draw }],
}

/** Text that a node of an address takes as it is */
function draw({ venue }: ServiceRequest): Element {
  return xml('unique', NS_UNIQUE, venue.host.random.bytes(10).toString('hex'))
}
