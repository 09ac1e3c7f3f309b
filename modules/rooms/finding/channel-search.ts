// A search among the rooms of a service (XEP-0433): those that anybody may find, a page at a time, with what one
// wants to know before entering.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { readPage, resultSet } from '../../../lib/xmpp/result-set.js'
import {
  channelElement,
  type ChannelQuestion,
  NS_SEARCH,
  questionForm,
  readQuestion,
  tooOften,
} from './channel-question.js'
import { type Channel, Channels, order } from './channels.js'
import { paceOf } from '../asking-pace.js'
import type { RoomFeature } from '../feature.js'
import type { ServiceRequest } from '../reception.js'
import type { Venue } from '../venue.js'

const LARGEST_PAGE = 100

/** Of each service the rooms that were read last */
const known = new WeakMap<Venue, Channels>()

export const channelSearch: RoomFeature = {
  name: 'channel search',
  serviceFeatures: [NS_SEARCH],
  serviceIq: [{ get: 'search', xmlns: NS_SEARCH, answer: search }],
}

async function search({ venue, element, envelope }: ServiceRequest): Promise<Element> {
  const question = readQuestion(element)
  if (!question) return xml('search', NS_SEARCH, questionForm())
  // §4.2.2.3
  if (!paceOf(venue).take(envelope.from, 'search', venue.host.clock.now())) throw tooOften()
  let channels = known.get(venue)
  if (!channels) known.set(venue, (channels = new Channels(venue)))
  const found = (await channels.all()).filter(question.matches)
  const place = places[question.order]
  const sorted = question.order === 'users' ? [...found].sort(place.order) : found
  const request = readPage(element, LARGEST_PAGE)
  const page = pageOf(sorted, request, place)
  const items = (await channels.still(page)).map(channelElement)
  const [first, last] = [page[0], page.at(-1)].map((one) => one && place.id(one))
  return xml('result', NS_SEARCH, ...items, resultSet({ first, last, count: found.length }))
}

interface Place {
  order(a: Spot, b: Spot): number
  id(spot: Spot): string
  /** Of a room that may be gone since */
  read(id: string): Spot
}

type Spot = Pick<Channel, 'local' | 'users'>

/** Where in the result an id stands: what it says stays true when rooms come and go. */
const places: Readonly<Record<ChannelQuestion['order'], Place>> = {
  address: {
    order: (a, b) => order(a.local, b.local),
    id: ({ local }) => local,
    read: (local) => ({ local, users: 0 }),
  },
  users: {
    order: (a, b) => b.users - a.users || order(a.local, b.local),
    id: ({ users, local }) => `${users} ${local}`,
    read(id) {
      const [, users, local] = /^(\d{1,9}) (.+)$/.exec(id) ?? []
      if (local === undefined) throw new StanzaError('item-not-found', 'this id was never given')
      return { users: Number(users), local }
    },
  },
}

function pageOf(
  sorted: readonly Channel[],
  { max, after, before }: ReturnType<typeof readPage>,
  place: Place,
): readonly Channel[] {
  let rest = sorted
  if (after !== undefined) {
    const spot = place.read(after)
    rest = rest.filter((channel) => place.order(channel, spot) > 0)
  }
  if (before) {
    const spot = place.read(before)
    rest = rest.filter((channel) => place.order(channel, spot) < 0)
  }
  if (max === 0) return []
  return before === undefined ? rest.slice(0, max) : rest.slice(-max)
}
