// What all rooms of one host share: their address, their tables, the ways to their visitors, the features, and
// what the operator allows.

import type { Host } from '../../lib/core/host.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { timeOf } from '../../lib/storage/logged-message.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { FanOut } from './nodes/fan-out.js'
import type { RoomFeature, RoomIq } from './feature.js'
import type { Guests } from './nodes/guests.js'
import type { Headcount } from './nodes/headcount.js'
import type { Visitor } from './occupants.js'
import { Affiliations } from './affiliations.js'
import { shownAs } from './said/authors.js'
import { Room } from './room.js'
import { type Limits, type Settings, standardSettings } from './settings.js'
import type { Role } from './standing.js'
import type { RoomRow, RoomStore } from './store.js'
import { stanzaId } from './speaking.js'
import { setsSubject } from './subject.js'

export interface RoomLimits extends Limits {
  /** That one account owns */
  readonly roomsPerAccount: number
  /** In a room with more, only moderators are told who else comes. */
  readonly mostShown: number
  readonly whoMayCreate: 'anyone' | 'local' | 'admins'
}

export interface VenueParts {
  readonly host: Host
  readonly jid: Jid
  readonly store: RoomStore
  readonly fanOut: FanOut
  readonly guests: Guests
  readonly headcount: Headcount
  readonly limits: RoomLimits
  readonly features: readonly RoomFeature[]
  /** Of ids that say nothing */
  readonly secret: Buffer
  /** What a message is called outside, of its number in the log */
  seal(id: number): string
  /** Its number; undefined for what we never gave */
  open(id: string): number | undefined
}

export class Venue {
  readonly host: Host
  readonly jid: Jid
  readonly store: RoomStore
  readonly fanOut: FanOut
  readonly guests: Guests
  readonly headcount: Headcount
  readonly limits: RoomLimits
  readonly features: readonly RoomFeature[]
  readonly secret: Buffer
  readonly seal: (id: number) => string
  readonly open: (id: string) => number | undefined
  /** The rooms that this node owns, by address */
  readonly rooms = new Map<string, Room>()
  /** In which tenure this node owns each of them */
  readonly epochs = new Map<string, number>()
  readonly #iq = new Map<string, RoomIq>()
  #last = 0

  constructor(parts: VenueParts) {
    this.host = parts.host
    this.jid = parts.jid
    this.store = parts.store
    this.fanOut = parts.fanOut
    this.guests = parts.guests
    this.headcount = parts.headcount
    this.limits = parts.limits
    this.features = parts.features
    this.secret = parts.secret
    this.seal = parts.seal
    this.open = parts.open
    for (const { iq } of parts.features) for (const offer of iq ?? []) this.#offer(offer)
  }

  #offer(offer: RoomIq): void {
    const { get, set, xmlns } = offer
    if (get) this.#iq.set(`get {${xmlns}}${get}`, offer)
    if (set) this.#iq.set(`set {${xmlns}}${set}`, offer)
  }

  iqOffer({ type, children }: Stanza): RoomIq | undefined {
    const child = children[0]
    return child && this.#iq.get(`${type} {${child.xmlns}}${child.name}`)
  }

  addressOf(name: string): Jid {
    return Jid.of(name, this.jid.domain)
  }

  /** Never the same twice, also when the clock steps back: rows only move forward. */
  #moment(): number {
    this.#last = Math.max(this.#last + 1, this.host.clock.now())
    return this.#last
  }

  /** Who is in a room, written behind */
  remember(
    room: Room,
    { nick, was, role, visitor }: { nick: string; was: string; role: Role; visitor: Visitor },
  ): void {
    const { host, store } = this
    const entry = host.journal.entry()
    const { jid, node, life = '', presence } = visitor
    const text = nick === '' ? '' : presence.render('', '')
    const place = { nick, was, role, node, life }
    store.visit(entry, room.number, { jid, at: this.#moment(), ...place, presence: text })
    // What is not written is asked of the nodes; the journal says what is wrong with the disk.
    host.server.pending(host.journal.commit(entry).catch(() => undefined))
  }

  /** A new room with its owner, on disk */
  async create(
    name: string,
    made: { owner: Jid; settings?: Partial<Settings>; locked: boolean },
  ): Promise<Room> {
    const { host, store, limits } = this
    const settings = { ...standardSettings(limits), ...made.settings }
    const row: Omit<RoomRow, 'number'> = {
      ...{ name, settings: JSON.stringify(settings), subject: '', locked: made.locked },
      ...{ hidden: settings.hidden, created: host.clock.now() },
    }
    const owner = made.owner.bare
    const entry = host.journal.entry()
    let number = 0
    store.create(entry, { row, owner }, (given) => {
      number = given
    })
    await host.journal.commit(entry)
    const room = new Room(this, { ...row, number })
    const standing = { affiliation: 'owner', since: row.created } as const
    room.affiliations = new Affiliations([{ jid: owner, ...standing }])
    this.rooms.set(room.jid.text, room)
    return room
  }

  /** As the database has it; undefined where there is none. */
  async load(name: string): Promise<Room | undefined> {
    const row = await this.store.find(name)
    if (!row) return undefined
    const room = new Room(this, row)
    const [affiliations] = await Promise.all([
      this.store.affiliations(row.number),
      this.#readOccupants(room),
      this.#readHistory(room),
      this.#readNewest(room),
    ])
    room.affiliations = new Affiliations(affiliations)
    this.rooms.set(room.jid.text, room)
    return room
  }

  async #readOccupants(room: Room): Promise<void> {
    for (const row of await this.store.visitors(room.number)) {
      const { jid, nick, was, role, node, life, presence, at } = row
      this.#last = Math.max(this.#last, at)
      if (nick === '') {
        if (was !== '') room.changes.gone({ nick: was, account: jid.bare }, at)
        continue
      }
      room.changes.shown(nick, at)
      const visitor: Visitor = { jid, node, life, presence: Stanza.parse(presence) }
      const there = room.occupants.byNick(nick)
      if (there) room.occupants.join(there, visitor)
      else
        room.occupants.add({
          ...{ jid: room.jid.withResource(nick), account: jid.bare, role, visitors: [visitor] },
        })
    }
  }

  async #readHistory(room: Room): Promise<void> {
    const limit = Math.min(room.settings.history, this.limits.mostHistory)
    const range = { owner: room.logNumber, limit, backwards: true }
    const { messages } = await this.host.messages.page(range)
    for (const { id, from, text } of messages) {
      const stanza = shownAs(text, 'none').with({ append: stanzaId(room, id) })
      if (!setsSubject(stanza)) room.history.add({ from: Jid.parse(from), stanza, at: timeOf(id) })
    }
  }

  async #readNewest(room: Room): Promise<void> {
    const last = { owner: room.logNumber, limit: 1, backwards: true, flags: 0 }
    room.newest = (await this.host.messages.page(last)).messages[0]?.id ?? 0
  }

  /** Nothing of it is left but what was said there, which nobody reaches any more. */
  async destroy(room: Room): Promise<void> {
    if (room.destroyed) return
    const { host, store } = this
    const entry = host.journal.entry()
    store.remove(entry, room.number)
    for (const { destroyed } of this.features) destroyed?.(room, entry)
    await host.journal.commit(entry)
    room.destroyed = true
    if (this.rooms.get(room.jid.text) === room) this.rooms.delete(room.jid.text)
  }
}
