// Tells a room who is in it (XEP-0045 §7.1.3): who may see real addresses is told them, the occupant hears
// that it is about itself (110), and whose presence is not shown is told of itself alone. Where there are very
// many, only moderators are told of those who come yet; who speaks is seen by what is said.

import type { Wire } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { Occupant, Visitor } from './occupants.js'
import { type Cause, unavailable, userElement } from './presences.js'
import type { Room } from './room.js'
import { isOpen } from './settings.js'
import type { Affiliation, Role } from './standing.js'
import { decorationOf, standingPresence } from './standing-presence.js'

export interface Shown extends Cause {
  /** Status codes for everybody */
  readonly codes?: readonly number[]
  /** More of them for whom it is about */
  readonly own?: readonly number[]
  /** These sessions of the occupant alone hear it of themselves. */
  readonly to?: readonly Visitor[]
  /** The others have heard of it already. */
  readonly ownOnly?: boolean
  /** Wire text within `<x/>` for those who see real addresses: which version of the lists this is (XEP-0463) */
  readonly mark?: Wire
  /** The same for whom it is about alone */
  readonly ownMark?: Wire
}

export interface Gone extends Shown {
  readonly presence?: Stanza
  readonly affiliation?: Affiliation
  /** The new one, where only that changes (§7.6) */
  readonly nick?: string
  /** Wire text within `<x/>`: where the room has gone (§10.9) */
  readonly more?: string
}

/** Somebody is here, or is not the same as before. */
export function showPresent(room: Room, occupant: Occupant, shown: Shown = {}): void {
  if (occupant.role === 'moderator') delete occupant.unseen
  if (!shown.ownOnly) room.changes.shown(occupant.jid.resource, room.venue.host.clock.now())
  const base = decorated(room, occupant, occupant.visitors[0]!.presence)
  const known = { affiliation: room.affiliationOf(occupant.account), role: occupant.role }
  tell(room, occupant, { ...shown, base, ...known, isShown: isSeenAs(room, occupant) })
  if (!shown.ownOnly && isSeenAs(room, occupant)) occupant.seenAs = occupant.role
}

/** §8.4: who is seen is also seen losing the role in which he was. */
function isSeenAs(room: Room, { role, seenAs = role }: Occupant): boolean {
  return isShown(room, role) || seenAs !== role
}

/** Somebody has left, with one session or whole, or is called something else. */
export function showGone(room: Room, occupant: Occupant, gone: Gone = {}): void {
  const { jid, account } = occupant
  if (!gone.ownOnly) room.changes.gone({ nick: jid.resource, account }, room.venue.host.clock.now())
  const base = decorated(room, occupant, unavailable(gone.presence))
  const affiliation = gone.affiliation ?? room.affiliationOf(account)
  const role = gone.nick === undefined ? 'none' : occupant.role
  const isKnown = isShown(room, occupant.role) || occupant.seenAs !== undefined
  tell(room, occupant, { ...gone, base, affiliation, role, isShown: isKnown })
}

/** One who comes is shown those who are here (§7.2.2). */
export function showOthers(
  room: Room,
  to: { occupant: Occupant; visitor: Visitor },
  which: (other: Occupant) => boolean = () => true,
): void {
  const open = maySee(room, to.occupant)
  const shown: { stanza: Stanza; from: Jid }[] = []
  for (const other of room.occupants.all()) {
    if (other === to.occupant || !isShown(room, other.role) || !which(other)) continue
    if (!isToldOf(other, to.occupant)) continue
    shown.push({ stanza: standingPresence(room, other, open), from: other.jid })
  }
  room.sendMany(shown, to.visitor)
}

/** XEP-0045 §4.2: real addresses */
export function maySee(room: Room, viewer: Occupant): boolean {
  return isOpen(room.settings) || viewer.role === 'moderator'
}

function isToldOf({ unseen }: Occupant, viewer: Occupant): boolean {
  return !unseen || viewer.role === 'moderator'
}

export function isShown({ settings }: Room, role: Role): boolean {
  return role !== 'none' && settings.shown.includes(role)
}

function decorated(room: Room, occupant: Occupant, presence: Stanza): Stanza {
  const append = decorationOf(room, occupant)
  return append === '' ? presence : presence.with({ append })
}

interface Told extends Gone {
  readonly base: Stanza
  readonly affiliation: Affiliation
  readonly role: Role
  readonly isShown: boolean
}

function tell(room: Room, occupant: Occupant, told: Told): void {
  const { codes = [], own = [], to = occupant.visitors } = told
  const variant = (open: boolean, statuses: readonly number[], mark = told.mark): Stanza => {
    const item = { ...told, jid: open ? occupant.visitors[0]!.jid : undefined }
    const inner = (told.more ?? '') + (open ? (mark ?? '') : '')
    return told.base.with({ append: userElement(item, statuses, inner) })
  }
  if (told.isShown && !told.ownOnly) {
    const { seeing, others } = viewers(room, occupant)
    if (seeing.length > 0) room.send(variant(true, codes), occupant.jid, seeing)
    if (others.length > 0) room.send(variant(false, codes), occupant.jid, others)
  }
  const mark = told.ownMark ?? told.mark
  room.send(variant(true, [...codes, ...own, 110], mark), occupant.jid, to)
}

/** Everybody but the occupant itself */
function viewers(room: Room, occupant: Occupant): { seeing: Visitor[]; others: Visitor[] } {
  const seeing: Visitor[] = []
  const others: Visitor[] = []
  for (const viewer of room.occupants.all()) {
    if (viewer === occupant || !isToldOf(occupant, viewer)) continue
    ;(maySee(room, viewer) ? seeing : others).push(...viewer.visitors)
  }
  return { seeing, others }
}

/** §10.9: each occupant hears it of itself. */
export function tellDestroyed(room: Room, more: string): void {
  for (const occupant of [...room.occupants.all()]) {
    room.occupants.remove(occupant)
    const stanza = unavailable().with({
      append: userElement({ affiliation: 'none', role: 'none' }, [110], more),
    })
    room.send(stanza, occupant.jid, occupant.visitors)
    for (const visitor of occupant.visitors) room.farewell(visitor)
  }
}
