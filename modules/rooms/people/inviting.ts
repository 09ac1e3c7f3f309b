// Invitations that a room takes to somebody, and what he answers (XEP-0045 §7.8.2, §9.5). They go the ordinary
// road, so that archives, blocking and offline rules have their say. Of a direct invitation (XEP-0249) a room
// knows nothing: it lets in whoever may come in.

import type { Element } from '../../../lib/xmpp/element.js'
import { elements, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { checkPace, paceOf } from '../asking-pace.js'
import type { RoomFeature, Visit } from '../feature.js'
import { mustBeHere } from '../going.js'
import { NS_MUC_USER } from '../presences.js'
import { actorOf, checkAffiliations } from './privileges.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'
import { changeAffiliations } from './standing-changes.js'

/** LIM-invitees: of one message */
const MOST_INVITEES = 50
const NS_DIRECT = 'jabber:x:conference'

export const inviting: RoomFeature = {
  name: 'inviting',
  async told({ room, ...visit }) {
    const { stanza } = visit.envelope
    if (stanza.type !== '' && stanza.type !== 'normal') return false
    const x = stanza.child('x', NS_MUC_USER)
    const invites = x?.getChildren('invite') ?? []
    const decline = x?.getChild('decline')
    if (invites.length > 0) await invite(room, visit, invites)
    else if (decline) takeBack(room, visit, decline)
    return invites.length > 0 || decline !== undefined
  },
}

async function invite(room: Room, visit: Visit, invites: readonly Element[]): Promise<void> {
  if (invites.length > MOST_INVITEES)
    throw new StanzaError('resource-constraint', 'too many at once')
  const inviter = checkInviter(room, visit)
  const invitees = invites.map((element) => ({ element, jid: inviteeOf(room, element) }))
  await addMembers(
    room,
    inviter,
    invitees.map(({ jid }) => jid.bare),
  )
  for (const { element, jid } of invitees) {
    checkPace(room.venue, inviter, 'invitation')
    const kept = elements(element).filter((child) => child.is('reason') || child.is('continue'))
    send(room, { invitee: jid, inviter, kept, id: visit.envelope.stanza.id })
  }
}

/** §5.1.1, §9.5: in a room of members alone it is an admin's, or an owner has said otherwise. */
function checkInviter(room: Room, visit: Visit): Jid {
  const { from } = visit.envelope
  const affiliation = room.affiliationOf(from)
  if (isAtLeast(affiliation, 'admin')) return from.bare
  mustBeHere(room, visit)
  const { membersOnly, anyoneMayInvite } = room.settings
  if (membersOnly && !(anyoneMayInvite && isAtLeast(affiliation, 'member')))
    throw new StanzaError('forbidden', 'only admins may invite to this room')
  return from.bare
}

function inviteeOf(room: Room, { attrs }: Element): Jid {
  const jid = Jid.tryParse(attrs.to)
  if (!jid || jid.isDomain) throw new StanzaError('jid-malformed', 'whom you invite has no address')
  if (room.affiliationOf(jid) === 'outcast')
    throw new StanzaError('not-allowed', 'who is banned is not invited')
  return jid
}

/** §9.5: who is invited to a room of members becomes one; into an open room nobody does. */
async function addMembers(room: Room, inviter: Jid, jids: readonly Jid[]): Promise<void> {
  if (!room.settings.membersOnly) return
  const names = new Map(jids.map((jid) => [jid.text, jid]))
  const changes = [...names.values()]
    .filter((jid) => !isAtLeast(room.affiliationOf(jid), 'member'))
    .map((jid) => ({ jid, affiliation: 'member' as const }))
  // The setting lets members do here what otherwise only admins do.
  const actor = { ...actorOf(room, inviter), affiliation: 'admin' as const }
  checkAffiliations(room, changes, actor)
  await changeAffiliations(room, changes, actor.nick)
}

interface Invitation {
  readonly invitee: Jid
  /** Bare */
  readonly inviter: Jid
  readonly kept?: readonly Element[]
  readonly id?: string
}

function send(
  { venue, jid, settings }: Room,
  { invitee, inviter, kept = [], id }: Invitation,
): void {
  const x = xml(
    'x',
    NS_MUC_USER,
    xml('invite', { from: inviter.text }, ...kept),
    settings.password === '' ? undefined : xml('password', {}, settings.password),
  )
  const direct = directly(jid, { kept, password: settings.password })
  const message = Stanza.of(xml('message', { id: id || venue.host.random.id() }, x, direct))
  venue.host.router.send(message, { from: jid, to: invitee })
}

/** §7.8.2 "Implementation Note": the same once more for clients that know no others (XEP-0249 §2). */
function directly(
  jid: Jid,
  { kept, password }: { kept: readonly Element[]; password: string },
): Element {
  const named = (name: string): Element | undefined => kept.find((child) => child.is(name))
  const reason = named('reason')?.getText()
  const goesOn = named('continue')
  return xml('x', {
    xmlns: NS_DIRECT,
    jid: jid.text,
    ...(reason && { reason }),
    ...(password !== '' && { password }),
    ...(goesOn && { continue: 'true' }),
    ...(goesOn?.attrs.thread && { thread: goesOn.attrs.thread }),
  })
}

/** §9.5: who is new on the list of members is invited, if there were not too many of them. */
export function inviteMember(room: Room, invitation: Invitation): void {
  const { venue } = room
  if (paceOf(venue).take(invitation.inviter, 'invitation', venue.host.clock.now()))
    send(room, invitation)
}

/**
 * §7.8.2. To somebody who could have invited: who is in the room or belongs to it. A room carries nothing to
 * strangers.
 */
function takeBack(room: Room, { envelope }: Visit, decline: Element): void {
  const { from, stanza } = envelope
  if (room.affiliationOf(from) === 'outcast') throw new StanzaError('forbidden')
  const to = inviterOf(room, Jid.tryParse(decline.attrs.to))
  if (!to) throw new StanzaError('item-not-found', 'nobody here has invited you')
  checkPace(room.venue, from, 'invitation')
  const kept = decline.getChild('reason')
  const x = xml('x', NS_MUC_USER, xml('decline', { from: from.bare.text }, kept ?? undefined))
  const id = stanza.id || room.venue.host.random.id()
  room.venue.host.router.send(Stanza.of(xml('message', { id }, x)), { from: room.jid, to })
}

function inviterOf(room: Room, jid: Jid | undefined): Jid | undefined {
  if (!jid) return undefined
  if (jid.bare.equals(room.jid)) return room.occupants.byNick(jid.resource)?.account
  const isHere = !room.occupants.ofAccount(jid.bare).next().done
  return isHere || isAtLeast(room.affiliationOf(jid), 'member') ? jid : undefined
}
