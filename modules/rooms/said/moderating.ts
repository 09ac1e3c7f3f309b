// Moderators take back what others said (XEP-0425): a tombstone in its place is on disk first, then the room's word
// that it is gone, which is kept too; then everybody hears of it. Clients that know only the version before (0.2,
// with XEP-0422) may ask and are told in its words, too.

import { INCOMING, KEPT, LoggedMessage } from '../../../lib/storage/logged-message.js'
import { type Element, type Wire, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { NS_RETRACTION } from '../../../lib/xmpp/message-children.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import { occupantIdElement } from '../people/occupant-ids.js'
import type { Occupant } from '../occupants.js'
import { wire } from '../presences.js'
import type { Room } from '../room.js'
import { entomb, entombInHistory, findSaid, mayBeTakenBack } from './said-before.js'
import { stanzaId } from '../speaking.js'

export const NS_MODERATION = 'urn:xmpp:message-moderate:1'
const NS_MODERATION_BEFORE = 'urn:xmpp:message-moderate:0'
const NS_RETRACTION_BEFORE = 'urn:xmpp:message-retract:0'
const NS_FASTENING = 'urn:xmpp:fasten:0'
const NS_HINTS = 'urn:xmpp:hints'

/** What is to be taken back, by its id in the room's archive, and why */
interface Wanted {
  readonly id: string
  readonly reason: string
}

/** LIM-reason: characters */
export const MOST_REASON = 1000

export const moderating: RoomFeature = {
  name: 'moderating',
  iq: [
    { set: 'moderate', xmlns: NS_MODERATION, answer: (asked) => moderate(asked, read) },
    { set: 'apply-to', xmlns: NS_FASTENING, answer: (asked) => moderate(asked, readBefore) },
  ],
  features: ({ settings }) => (settings.archived ? [NS_MODERATION, NS_MODERATION_BEFORE] : []),
}

async function moderate(
  { room, occupant, element }: RoomRequest,
  wanted: (element: Element) => Wanted,
): Promise<void> {
  // XEP-0425 §5
  if (occupant?.role !== 'moderator')
    throw new StanzaError('forbidden', 'only moderators may do that')
  const { id, reason } = wanted(element)
  const found = await findSaid(room, id)
  if (!found) throw new StanzaError('item-not-found', 'this was not said here')
  // What somebody else has taken back meanwhile is gone already.
  if (!mayBeTakenBack(found)) return
  const by = { id: room.venue.host.random.id(), more: moderated(room, occupant, reason) }
  await entomb(room, found, by)
  const before = fastened({ id, reason }, occupant)
  const word = retraction(id, by).with({ append: before })
  const logged = await keep(room, word)
  entombInHistory(room, found.id, by)
  tell(room, word.with({ append: stanzaId(room, logged.id) }), logged.id)
}

function read(element: Element): Wanted {
  return checked(element.attrs.id, element, NS_RETRACTION)
}

function readBefore(element: Element): Wanted {
  const moderation = element.getChild('moderate', NS_MODERATION_BEFORE)
  if (!moderation) throw new StanzaError('feature-not-implemented')
  return checked(element.attrs.id, moderation, NS_RETRACTION_BEFORE)
}

function checked(id: string | undefined, element: Element, retraction: string): Wanted {
  const reason = element.getChildText('reason') ?? ''
  if (!id) throw new StanzaError('bad-request', 'what is to be moderated has an id')
  // XEP-0425 §1: other actions than taking back are not defined.
  if (!element.getChild('retract', retraction)) throw new StanzaError('feature-not-implemented')
  if (reason.length > MOST_REASON) throw new StanzaError('not-acceptable', 'the reason is too long')
  return { id, reason }
}

/** Who did it, by the nick and the id that do not say who that is elsewhere */
function moderated(room: Room, { jid, account }: Occupant, reason: string): Wire {
  const who =
    `<moderated xmlns='${NS_MODERATION}' by='${jid.attr}'>` +
    `${occupantIdElement(room, account)}</moderated>`
  return reason === '' ? who : `${who}<reason>${wire(reason)}</reason>`
}

function fastened({ id, reason }: Wanted, { jid }: Occupant): Wire {
  const why = reason === '' ? '' : `<reason>${wire(reason)}</reason>`
  return (
    `<apply-to xmlns='${NS_FASTENING}' id='${wire(id)}'>` +
    `<moderated xmlns='${NS_MODERATION_BEFORE}' by='${jid.attr}'>` +
    `<retract xmlns='${NS_RETRACTION_BEFORE}'/>${why}</moderated></apply-to>`
  )
}

/** XEP-0425 §4 */
function retraction(id: string, by: { id: string; more: Wire }): Stanza {
  const empty = Stanza.of(xml('message', { type: 'groupchat', id: by.id }, xml('store', NS_HINTS)))
  return empty.with({
    append: `<retract xmlns='${NS_RETRACTION}' id='${wire(id)}'>${by.more}</retract>`,
  })
}

/** XEP-0424 §5: it is in the archive, for those who were not here. */
async function keep({ jid, logNumber, venue }: Room, stanza: Stanza): Promise<LoggedMessage> {
  const { journal } = venue.host
  const logged = new LoggedMessage({
    ...{ from: jid, to: jid, text: stanza.render('', ''), label: 0, key: '', author: logNumber },
  })
  logged.recipient = { owner: logNumber, flags: KEPT | INCOMING }
  const entry = journal.entry()
  entry.message = logged
  await journal.commit(entry)
  return logged
}

function tell(room: Room, stanza: Stanza, number: number): void {
  room.history.add({ from: room.jid, stanza, at: room.venue.host.clock.now() })
  room.sendToAll(stanza, room.jid, number)
}
