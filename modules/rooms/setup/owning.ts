// What an owner does with a room (XEP-0045 §10): says what it is to be, which opens it where it is new, and
// destroys it.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { readForm } from '../../../lib/xmpp/forms.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { configurationForm, readConfiguration, ROOM_CONFIG } from './configuration-form.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import { forgetRoles } from '../people/given-roles.js'
import { sendOut } from '../going.js'
import { NS_MUC_OWNER, NS_MUC_USER, wire } from '../presences.js'
import type { Room } from '../room.js'
import { isOpen, type Settings } from '../settings.js'
import { isAtLeast } from '../standing.js'
import { showPresent, tellDestroyed } from '../telling.js'

export const owning: RoomFeature = {
  name: 'owning',
  iq: [
    { get: 'query', xmlns: NS_MUC_OWNER, reads: true, answer: showForm },
    { set: 'query', xmlns: NS_MUC_OWNER, answer: takeForm },
  ],
}

function mustOwn({ affiliation }: RoomRequest): void {
  if (affiliation !== 'owner') throw new StanzaError('forbidden', 'only owners may do that')
}

function showForm(request: RoomRequest): Element {
  mustOwn(request)
  return xml('query', NS_MUC_OWNER, configurationForm(request.room))
}

async function takeForm(request: RoomRequest): Promise<void> {
  mustOwn(request)
  const { room, element } = request
  const destroy = element.getChild('destroy')
  if (destroy) return destroyRoom(room, readEnd(destroy))
  const submitted = readForm(element, ROOM_CONFIG)
  if (!submitted) throw new StanzaError('bad-request', 'a form is wanted')
  if (submitted.type === 'cancel') {
    // §10.1.3: a room that is not configured is no room.
    if (room.locked) await destroyRoom(room, {})
    return
  }
  await configure(room, readConfiguration(submitted.values, room.settings, room.venue.limits))
}

/** On disk, then everybody is told what matters to them (§10.2.1). */
export async function configure(room: Room, settings: Settings): Promise<void> {
  const { venue } = room
  const change = { settings: JSON.stringify(settings), hidden: settings.hidden, locked: false }
  await room.commit((entry) => venue.store.update(entry, room.number, change))
  const before = room.settings
  const opened = room.locked
  room.settings = settings
  room.locked = false
  room.history.keep(settings.history)
  if (settings.membersOnly && !before.membersOnly) await sendOutStrangers(room)
  if (settings.moderated !== before.moderated) {
    forgetRoles(room)
    changeVoices(room)
  }
  const codes = opened ? [] : codesOf(before, settings)
  if (codes.length > 0) tellCodes(room, codes)
  for (const { changed } of venue.features) changed?.(room)
}

/** §10.2.1, and 104 for whatever else is different */
function codesOf(before: Settings, after: Settings): number[] {
  const codes: number[] = []
  if (before.archived !== after.archived) codes.push(after.archived ? 170 : 171)
  if (isOpen(before) !== isOpen(after)) codes.push(isOpen(after) ? 172 : 173)
  const rest = { ...before, archived: after.archived, whois: after.whois }
  if (JSON.stringify(rest) !== JSON.stringify(after)) codes.push(104)
  return codes
}

export function tellCodes(room: Room, codes: readonly number[]): void {
  const statuses = codes.map((code) => xml('status', { code: String(code) }))
  const stanza = Stanza.of(
    xml(
      'message',
      { type: 'groupchat', id: room.venue.host.random.id() },
      xml('x', NS_MUC_USER, ...statuses),
    ),
  )
  room.sendToAll(stanza, room.jid)
}

/** §9.3 example "service removes non-members": 322 */
async function sendOutStrangers(room: Room): Promise<void> {
  for (const occupant of [...room.occupants.all()])
    if (!isAtLeast(room.affiliationOf(occupant.account), 'member'))
      await sendOut(room, occupant, { codes: [322] })
}

/** §5.1.2: in a moderated room who has no standing has no voice. */
function changeVoices(room: Room): void {
  for (const occupant of room.occupants.all()) {
    if (room.affiliationOf(occupant.account) !== 'none' || occupant.role === 'moderator') continue
    const role = room.settings.moderated ? 'visitor' : 'participant'
    if (occupant.role === role) continue
    occupant.role = role
    for (const visitor of occupant.visitors) room.remember(occupant, visitor)
    showPresent(room, occupant)
  }
}

interface End {
  readonly reason?: string | undefined
  /** Where people go instead */
  readonly alternative?: Jid | undefined
  readonly password?: string | undefined
}

function readEnd(destroy: Element): End {
  const { jid } = destroy.attrs
  const alternative = jid === undefined ? undefined : Jid.tryParse(String(jid))
  if (jid !== undefined && !alternative) throw new StanzaError('jid-malformed')
  return {
    alternative,
    reason: destroy.getChildText('reason') ?? undefined,
    password: destroy.getChildText('password') ?? undefined,
  }
}

/** §10.9: on disk first; then everybody hears that it is gone, and where it goes on. */
export async function destroyRoom(
  room: Room,
  { reason, alternative, password }: End,
): Promise<void> {
  await room.venue.destroy(room)
  const more =
    `<destroy${alternative ? ` jid='${alternative.attr}'` : ''}>` +
    (reason ? `<reason>${wire(reason)}</reason>` : '') +
    (password ? `<password>${wire(password)}</password>` : '') +
    '</destroy>'
  tellDestroyed(room, more)
}
