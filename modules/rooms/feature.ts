// What one feature of rooms adds to all rooms of a service. The list of features is in rooms.ts; nothing is
// registered by hand, and a feature that is left out of the list is gone.

import type { Knex } from 'knex'
import type { Later } from '../../lib/core/later.js'
import type { DiscoItem, Identity } from '../../lib/core/module.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Element, Wire } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Field } from '../../lib/xmpp/forms.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { Occupant, Visitor } from './occupants.js'
import type { ServiceIq } from './reception.js'
import type { Room } from './room.js'
import type { RoomCommand } from './setup/room-commands.js'
import type { Affiliation } from './standing.js'
import type { Venue } from './venue.js'

/** Something that came for a room, at its owner */
export interface Visit {
  readonly envelope: Envelope
  /** The node whose session sent it; '' where another server did */
  readonly node: string
  /** Of that node */
  readonly life: string
  /** Its session is in the room, as far as its node knows; what another server's is, nobody knows. */
  readonly inside: boolean
  /** The same where it is asked again after its owner died, and of nothing else */
  readonly number: string
}

/** A request to the room's own address */
export interface RoomRequest extends Visit {
  readonly room: Room
  readonly element: Element
  readonly type: 'get' | 'set'
  /** Full real address */
  readonly from: Jid
  readonly affiliation: Affiliation
  /** Where whoever asks is in the room */
  readonly occupant: Occupant | undefined
}

export interface RoomIq {
  readonly get?: string
  readonly set?: string
  readonly xmlns: string
  /** It changes nothing, and runs beside messages. */
  readonly reads?: boolean
  /** It takes long: the room neither waits for it nor keeps it waiting. */
  readonly apart?: boolean
  /** The child of the result; throws StanzaError to refuse. */
  answer(request: RoomRequest): Later<Element | undefined | void>
}

/** A message to everybody on its way through the room */
export interface Speech {
  readonly room: Room
  readonly occupant: Occupant
  readonly visitor: Visitor
  readonly envelope: Envelope
  /** What is on disk together with the message */
  readonly entry: JournalEntry
}

/** What was said, when everybody here was sent it */
export interface Spoken extends Speech {
  /** As everybody got it, with its ids */
  readonly stanza: Stanza
  /** Its number in the log, 0 where it is not there */
  readonly id: number
}

/** Somebody who comes in, or comes again */
export interface Entrance {
  readonly occupant: Occupant
  readonly visitor: Visitor
  /** With which it came */
  readonly stanza: Stanza
}

export interface RoomFeature {
  readonly name: string
  /** Requests to rooms */
  readonly iq?: readonly RoomIq[]
  /** Commands of a room (XEP-0050) */
  readonly commands?: readonly RoomCommand[]
  /** A request before it is taken to the room's owner, on the node where it came: it waits, or is refused. */
  asked?(venue: Venue, envelope: Envelope): Later<void>
  /** Refuses whatever came, before anything is done with it (StanzaError); changes nothing. */
  arrives?(room: Room, visit: Visit): void
  /** Features that a room tells of itself (XEP-0030) */
  features?(room: Room): readonly string[]
  identities?(room: Room): readonly Identity[]
  /** Fields of its extended information (muc#roominfo) */
  info?(room: Room): readonly Field[]
  /** Answers for a node of its own */
  nodeInfo?(request: RoomRequest, node: string): Later<readonly Element[] | undefined>
  nodeItems?(request: RoomRequest, node: string): Later<readonly DiscoItem[] | undefined>
  /** Of the service itself */
  readonly serviceFeatures?: readonly string[]
  /** Requests to the service, answered on any node */
  readonly serviceIq?: readonly ServiceIq[]
  /** Presence to the service, on the node where it came */
  servicePresence?(venue: Venue, envelope: Envelope): Later<void>
  /** Children of `<x/>`'s sibling rank in the presence of an occupant, wire text */
  decorate?(room: Room, occupant: Occupant): Wire
  /** Refuses a message to everybody (StanzaError); changes nothing. */
  admit?(speech: Speech): Later<void>
  /** The message as it is kept and sent, without what must not be in it */
  amend?(stanza: Stanza, speech: Speech): Later<Stanza>
  /** Adds to what is written with the message */
  record?(speech: Speech, stanza: Stanza): Later<void>
  /** After everybody here was sent it */
  spoken?(spoken: Spoken): void
  /** A message to the room's own address that is not for everybody: an invitation, a form. Whether it was for this feature. */
  told?(visit: Visit & { readonly room: Room }): Later<boolean>
  /** Somebody comes in, and was sent nothing yet. */
  entering?(room: Room, entrance: Entrance): void
  /** Wire text within `<x/>` of what a newcomer is told of itself */
  mark?(room: Room, occupant: Occupant): Wire
  /** Somebody wants to come in; it is not decided yet whether he may. Throws StanzaError to refuse. */
  knocking?(room: Room, visit: Visit): Later<void>
  /** Somebody is in, and was sent history and subject. */
  entered?(room: Room, occupant: Occupant, visitor: Visitor): void
  /** The last session of an occupant has left. */
  left?(room: Room, occupant: Occupant): void
  /** Settings, standing or subject changed. */
  changed?(room: Room): void
  /** This node owns it from now on. */
  taken?(room: Room): Later<void>
  /** Nothing of it stays on this node. */
  released?(room: Room): void
  /** The room is gone for good; its entry is not committed yet. */
  destroyed?(room: Room, entry: JournalEntry): void
  /** The service ends on this node. */
  close?(): void
  /** An account is removed (SEC-28): what was its own goes with it. Gives the numbers of the rooms it was in. */
  forget?(account: Jid, trx: Knex.Transaction): Promise<readonly number[]>
  /** It has gone, and the room is awake. */
  forgotten?(room: Room, account: Jid): void
}
