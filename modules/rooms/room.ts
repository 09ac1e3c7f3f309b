// One room on the node that owns it: what it is, who is in it, and the lane in which everything happens in
// order. What each stanza does is in files of its own (entering.ts, speaking.ts, …); features add the rest.

import type { Later } from '../../lib/core/later.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { resultReply } from '../../lib/xmpp/replies.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { Affiliations } from './affiliations.js'
import { Changes } from './changes.js'
import { comes, enter } from './entering.js'
import type { RoomIq, RoomRequest, Visit } from './feature.js'
import { leave, removedByError, replaced } from './going.js'
import type { Word } from './nodes/words.js'
import { History } from './history.js'
import { type Occupant, Occupants, type Visitor } from './occupants.js'
import { passOn } from './passing-on.js'
import { changePresence } from './presence-changes.js'
import { RoomLane } from './room-lane.js'
import type { Venue } from './venue.js'
import { readSettings, type Settings } from './settings.js'
import { speak } from './speaking.js'
import type { Affiliation } from './standing.js'
import { logNumberOf, type RoomRow } from './store.js'
import { NO_SUBJECT, readSubject, setsSubject, type Subject } from './subject.js'
import { whisper } from './whispering.js'

export class Room {
  readonly venue: Venue
  readonly jid: Jid
  readonly number: number
  /** In the message log */
  readonly logNumber: number
  readonly created: number
  settings: Settings
  subject: Subject
  /** Nobody else enters until its owner has said what it is to be (XEP-0045 §10.1). */
  locked: boolean
  affiliations: Affiliations
  readonly occupants = new Occupants()
  readonly history: History
  readonly lane = new RoomLane()
  /** What features remember of it, keyed by a symbol of their own */
  readonly memo = new Map<symbol, unknown>()
  /** Who came and went of late */
  readonly changes = new Changes()
  destroyed = false
  /** Of this tenure; greater than that of any owner before */
  readonly epoch: number
  /** Of what everybody was told, in the log */
  newest = 0

  constructor(venue: Venue, row: RoomRow) {
    this.venue = venue
    this.jid = venue.addressOf(row.name)
    this.number = row.number
    this.logNumber = logNumberOf(row)
    this.created = row.created
    this.epoch = venue.epochs.get(this.jid.text) ?? 0
    this.settings = readSettings(row.settings, venue.limits)
    this.subject = row.subject === '' ? NO_SUBJECT : readSubject(row.subject)
    this.locked = row.locked
    this.affiliations = new Affiliations()
    this.history = new History(this.settings.history)
  }

  affiliationOf(jid: Jid): Affiliation {
    return this.venue.host.isAdmin(jid.bare) ? 'owner' : this.affiliations.of(jid)
  }

  /** What it comes to; the answer goes back to whoever sent it. */
  receive(visit: Visit): Later<Stanza | undefined> {
    if (visit.inside || !this.occupants.of(visit.envelope.from)) return this.#received(visit)
    // Another session has its address now (XEP-0410 §3.2).
    const gone = Promise.resolve(this.lane.alone(() => replaced(this, visit)))
    return gone.then(() => this.#received(visit))
  }

  #received(visit: Visit): Later<Stanza | undefined> {
    const { kind } = visit.envelope.stanza
    for (const { arrives } of this.venue.features) arrives?.(this, visit)
    if (kind === 'presence') return this.#presence(visit)
    if (kind === 'message') return this.#message(visit)
    return this.#iq(visit)
  }

  #presence(visit: Visit): Later<Stanza | undefined> {
    const { stanza } = visit.envelope
    if (stanza.type === 'unavailable') return this.lane.alone(() => leave(this, visit))
    if (stanza.type === 'error') return this.lane.alone(() => removedByError(this, visit))
    // §17.3: what is neither is no way in or out.
    if (stanza.type !== '') return undefined
    return this.lane.alone(() => {
      const occupant = this.occupants.of(visit.envelope.from)
      if (occupant && !comes(visit)) return changePresence(this, occupant, visit)
      if (occupant && !visit.envelope.to.equals(occupant.jid)) changePresence(this, occupant, visit)
      return enter(this, visit)
    })
  }

  #message(visit: Visit): Later<undefined> {
    const { stanza, to } = visit.envelope
    if (stanza.type === 'error') return this.lane.alone(() => removedByError(this, visit))
    if (to.resource !== '') return this.lane.beside(() => whisper(this, visit))
    if (stanza.type === 'groupchat')
      return this.lane[setsSubject(stanza) ? 'alone' : 'beside'](() => speak(this, visit))
    return this.lane.alone(() => this.#told(visit))
  }

  /** §7.8.2, §7.13: what is for the room itself */
  async #told(visit: Visit): Promise<undefined> {
    for (const { told } of this.venue.features)
      if (await told?.({ ...visit, room: this })) return undefined
    throw new StanzaError('bad-request', 'a message to everybody is of type groupchat')
  }

  #iq(visit: Visit): Later<Stanza | undefined> {
    const { stanza, to } = visit.envelope
    if (to.resource !== '') return this.lane.beside(() => passOn(this, visit))
    if (stanza.type !== 'get' && stanza.type !== 'set') return undefined
    const request = this.#request(visit)
    const offer = this.venue.iqOffer(stanza)
    if (!offer) throw new StanzaError('service-unavailable')
    const answer = (): Later<Stanza> => this.#answer(offer, request)
    if (offer.apart) return answer()
    return offer.reads ? this.lane.beside(answer) : this.lane.alone(answer)
  }

  #request(visit: Visit): RoomRequest {
    const { stanza, from } = visit.envelope
    const child = stanza.children[0]
    if (!child || stanza.children.length !== 1)
      throw new StanzaError('bad-request', 'a request has one child')
    return {
      ...visit,
      room: this,
      element: stanza.child(child.name, child.xmlns)!,
      type: stanza.type as 'get' | 'set',
      from,
      affiliation: this.affiliationOf(from),
      occupant: this.occupants.of(from),
    }
  }

  async #answer(offer: RoomIq, request: RoomRequest): Promise<Stanza> {
    const child = await offer.answer(request)
    return resultReply(request.envelope.stanza, child ?? undefined)
  }

  /** What it decided is on disk before anybody hears of it. */
  async commit(write: (entry: JournalEntry) => void): Promise<void> {
    const { journal } = this.venue.host
    const entry = journal.entry()
    write(entry)
    await journal.commit(entry)
  }

  /** From the room itself, or from somebody in it, to these */
  send(stanza: Stanza, from: Jid, visitors: Iterable<Visitor>): void {
    const arrived = this.venue.host.clock.now()
    const said = { stanza, from, arrived, number: 0, previous: this.newest }
    this.venue.fanOut.send(this, [said], visitors)
  }

  /** Many things to one of them */
  sendMany(all: readonly { stanza: Stanza; from: Jid }[], visitor: Visitor): void {
    const arrived = this.venue.host.clock.now()
    const previous = this.newest
    // Of the same shape as in `send`; with a spread a newcomer in a room of 1,000 costs a third more.
    const said = all.map(({ stanza, from }) => ({ stanza, from, arrived, number: 0, previous }))
    if (said.length > 0) this.venue.fanOut.send(this, said, [visitor])
  }

  /** With its number in the log, where it is there */
  sendToAll(stanza: Stanza, from: Jid, number = 0): void {
    const arrived = this.venue.host.clock.now()
    const said = { stanza, from, arrived, number, previous: this.newest }
    if (number > 0) this.newest = number
    this.venue.fanOut.send(this, [said], this.occupants.visitors())
  }

  /** Written behind: nobody waits for it, and who takes over asks the nodes beside. */
  remember(occupant: Occupant, visitor: Visitor): void {
    const nick = occupant.jid.resource
    this.venue.remember(this, { nick, was: '', role: occupant.role, visitor })
    this.welcome(occupant, visitor)
  }

  /** `was` is the nick that nobody has any more. */
  forget(visitor: Visitor, was: string): void {
    this.venue.remember(this, { nick: '', was, role: 'none', visitor })
    this.farewell(visitor)
  }

  /** Its node is told that it is in: after everything that was said until now. */
  welcome({ jid }: Occupant, { jid: visitor, node, away }: Visitor): void {
    if (node === '' || away) return
    const { logNumber: log, newest } = this
    this.#tell({ is: 'in', address: visitor.text, nick: jid.resource, log, newest }, node)
  }

  farewell({ jid, node, away }: Visitor): void {
    if (node !== '' && !away) this.#tell({ is: 'out', address: jid.text }, node)
  }

  #tell(word: Word, node: string): void {
    this.venue.guests.tell({ room: this.jid.text, epoch: this.epoch }, word, node)
  }
}
