// Who wants to hear that something is said in rooms that he is not in (XEP-0437), of the sessions of this node: for
// each the rooms of which he was not told yet. A room is named once; what it is about he sees when he enters.

import { logNumberOf } from '../store.js'
import { xml } from '../../../lib/xmpp/element.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { timeOf } from '../../../lib/storage/logged-message.js'
import type { Venue } from '../venue.js'
import { nameOf, type OwnRoom, type VisitStore } from './visit-store.js'

export const NS_INDICATORS = 'urn:xmpp:rai:0'

/** LIM-indicators: sessions of one node that listen, and rooms of each of them */
const MOST_LISTENERS = 5000
const MOST_ROOMS = 200

interface Listener {
  readonly jid: Jid
  /** Numbers of rooms that he was not told of yet */
  readonly rooms: Set<number>
}

export class Indicators {
  readonly #venue: Venue
  readonly #store: VisitStore
  readonly #listeners = new Map<string, Listener>()
  readonly #byRoom = new Map<number, Set<Listener>>()

  constructor(venue: Venue, store: VisitStore) {
    this.#venue = venue
    this.#store = store
  }

  /** §3.1: at once, he is told of what happened since he was there. */
  async listen(jid: Jid): Promise<void> {
    const rooms = await this.#store.rooms(jid.bare.text, MOST_ROOMS)
    this.forget(jid)
    if (this.#listeners.size >= MOST_LISTENERS)
      this.forget(this.#listeners.values().next().value!.jid)
    const listener: Listener = { jid, rooms: new Set(rooms.map(({ number }) => number)) }
    this.#listeners.set(jid.text, listener)
    for (const { number } of rooms) this.#add(number, listener)
    const there = await this.#store.inside([...listener.rooms], [jid.text])
    const missed: OwnRoom[] = []
    for (const room of rooms)
      if (!there.has(nameOf(room.number, jid.text)) && (await this.#isActive(room)))
        missed.push(room)
    if (missed.length > 0) this.#tell(listener, missed)
  }

  forget(jid: Jid): void {
    const listener = this.#listeners.get(jid.text)
    if (!listener) return
    this.#listeners.delete(jid.text)
    for (const number of [...listener.rooms]) this.#drop(number, listener)
  }

  /** Something was said in a room. */
  async active(room: Omit<OwnRoom, 'left'>): Promise<void> {
    const all = [...(this.#byRoom.get(room.number) ?? [])]
    if (all.length === 0) return
    const accounts = [...new Set(all.map(({ jid }) => jid.bare.text))]
    const still = await this.#store.affiliated(room.number, accounts)
    const sessions = all.map(({ jid }) => jid.text)
    const there = await this.#store.inside([room.number], sessions)
    for (const listener of all) {
      if (there.has(nameOf(room.number, listener.jid.text))) continue
      // §4: who may not enter any more does not hear of it.
      if (still.has(listener.jid.bare.text)) this.#tell(listener, [room])
      else this.#drop(room.number, listener)
    }
  }

  /** Whether something was said since he left */
  async #isActive({ number, left }: OwnRoom): Promise<boolean> {
    const range = { owner: logNumberOf({ number }), limit: 1, backwards: true }
    const { messages } = await this.#venue.host.messages.page(range)
    return messages[0] !== undefined && timeOf(messages[0].id) > left
  }

  /** §4: of each room once */
  #tell(listener: Listener, rooms: readonly Omit<OwnRoom, 'left'>[]): void {
    const fresh = rooms.filter(({ number }) => listener.rooms.has(number))
    if (fresh.length === 0) return
    for (const { number } of fresh) this.#drop(number, listener)
    const { host, jid } = this.#venue
    const named = fresh.map(({ name }) => xml('activity', {}, this.#venue.addressOf(name).text))
    const rai = xml('rai', NS_INDICATORS, ...named)
    const stanza = Stanza.of(xml('message', { id: host.random.id() }, rai))
    const to = listener.jid
    const arrived = host.clock.now()
    const session = host.sessions.find(to)
    if (session) session.write(new Envelope({ stanza, from: jid, to, origin: 'local', arrived }))
    else this.forget(to)
  }

  #add(number: number, listener: Listener): void {
    const there = this.#byRoom.get(number)
    if (there) there.add(listener)
    else this.#byRoom.set(number, new Set([listener]))
  }

  #drop(number: number, listener: Listener): void {
    listener.rooms.delete(number)
    const there = this.#byRoom.get(number)
    there?.delete(listener)
    if (there?.size === 0) this.#byRoom.delete(number)
  }
}
