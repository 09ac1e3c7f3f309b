// Sessions that come back to their rooms: made again after their process ended, here or on another node. Their
// rows say in which rooms they were and up to where their clients have what was said. And rooms whose owner is
// gone, or whose word may not have arrived: whoever owns them now is told who of this node is in them.

import type { Host } from '../../../lib/core/host.js'
import type { Session } from '../../../lib/core/session.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { counted, type Guests } from './guests.js'
import type { Guest, Lodging } from './lodging.js'
import type { OwnedRooms } from './owned-rooms.js'

/** Milliseconds until an owner that did not answer is asked again */
const AGAIN = 1000
/** In which a session that ended is said to be gone */
const GOING = 5000
/** What is missed again and again is called about once. */
const TOGETHER = 2000
/** LIM-rooms-called: rooms of one node whose owners are called at a time */
export const MOST_CALLS = 16

/** In which rooms a session is */
interface Saved {
  /** Milliseconds: what was shown before that, its client has. */
  readonly at: number
  readonly rooms: readonly (readonly [room: string, log: number, nick: string, position: number])[]
}

export class Homecoming {
  readonly #host: Host
  readonly #guests: Guests
  readonly #rooms: OwnedRooms
  /** Rooms to call, and since when something may be missing */
  readonly #calls = new Map<string, number>()
  #calling = 0
  #missed = 0
  #closed = false

  constructor(host: Host, guests: Guests, rooms: OwnedRooms) {
    this.#host = host
    this.#guests = guests
    this.#rooms = rooms
  }

  close(): void {
    this.#closed = true
    this.#calls.clear()
  }

  // Sessions

  save(session: Session): Saved | undefined {
    const lodgings = [...this.#guests.of(session)]
    if (lodgings.length === 0) return undefined
    const lowest = new Map<string, number>()
    let at = this.#host.clock.now()
    for (const envelope of session.keeper?.owed() ?? []) {
      const room = envelope.from.bare.text
      if (!this.#guests.lodgings.has(room)) continue
      at = Math.min(at, envelope.arrived)
      if (envelope.said > 0)
        lowest.set(room, Math.min(envelope.said, lowest.get(room) ?? Number.POSITIVE_INFINITY))
    }
    const rooms = lodgings.map((lodging) => saved(lodging, session, lowest))
    return { at, rooms }
  }

  restore(session: Session, kept: unknown): void {
    const { at, rooms } = (kept as Saved | undefined) ?? { at: 0, rooms: [] }
    for (const [address, log, nick, position] of rooms) {
      const room = Jid.parse(address)
      const had = hadFrom(room, session.keeper?.owed() ?? [])
      const guest = { session, nick, position, had }
      const back = this.#guests.returns(room, { log, shown: position }, guest)
      this.#host.server.pending(this.#comesBack(room.text, back, at))
    }
  }

  /** Until the owner knows where it is now. */
  async #comesBack(room: string, guest: Guest, since: number): Promise<void> {
    const { clock } = this.#host
    while (guest.back && !guest.session.closed && !this.#closed) {
      try {
        const census = { room, whole: false, pending: [], guests: [counted(guest)], since }
        if (await this.#rooms.count(census)) return
        this.#guests.dismiss(room, guest)
      } catch {
        await new Promise<void>((resolve) => clock.after(AGAIN, resolve))
      }
    }
  }

  /** Where they are in their rooms goes into their rows. */
  write(): void {
    for (const lodging of this.#guests.lodgings.values()) {
      if (!lodging.moved) continue
      lodging.moved = false
      for (const { session } of lodging.guests.values()) session.changed()
    }
  }

  /** Whoever said that it is gone may not have been heard. */
  closed(session: Session): void {
    this.#host.clock.after(GOING, () => {
      for (const { room, guests } of this.#guests.of(session))
        if (guests.get(session.jid.text)?.session === session) this.countSoon(room.text)
    })
  }

  // Owners

  /** Whoever owns them next takes them over now, before anybody speaks. Whether there are any. */
  ownerGone(life: string): boolean {
    const rooms = [...this.#guests.lodgings.values()].filter(({ owner }) => owner?.life === life)
    for (const { room } of rooms) this.countSoon(room.text)
    return rooms.length > 0
  }

  /** Words of any owner may be missing since then. */
  missed(since: number): void {
    const { clock, server } = this.#host
    const waits = this.#missed > 0
    this.#missed = waits ? Math.min(this.#missed, since) : since
    if (waits || this.#closed) return
    clock.after(TOGETHER, () => {
      const first = this.#missed
      this.#missed = 0
      if (server.members.cutOff) return
      for (const room of this.#guests.lodgings.keys()) this.countSoon(room, first)
    })
  }

  countSoon(room: string, since = this.#host.clock.now()): void {
    this.#calls.set(room, Math.min(since, this.#calls.get(room) ?? since))
    this.#host.server.pending(this.#run())
  }

  async #run(): Promise<void> {
    if (this.#calling >= MOST_CALLS) return
    this.#calling++
    for (let next = this.#next(); next && !this.#closed; next = this.#next())
      await this.#count(next)
    this.#calling--
  }

  #next(): { room: string; since: number } | undefined {
    for (const [room, since] of this.#calls) {
      this.#calls.delete(room)
      return { room, since }
    }
    return undefined
  }

  async #count({ room, since }: { room: string; since: number }): Promise<void> {
    const census = this.#guests.census(room, undefined, since)
    try {
      const isThere = await this.#rooms.count(census)
      for (const guest of [...(this.#guests.lodgings.get(room)?.guests.values() ?? [])])
        if (guest.session.closed) this.#guests.leave(room, guest.session.jid.text)
        else if (!isThere) this.#guests.dismiss(room, guest)
    } catch {
      this.#host.clock.after(AGAIN, () => {
        if (!this.#closed) this.countSoon(room, since)
      })
    }
  }
}

function saved(
  { room, log, shown, guests }: Lodging,
  session: Session,
  lowest: ReadonlyMap<string, number>,
): Saved['rooms'][number] {
  const { nick = '', held, position = 0 } = guests.get(session.jid.text) ?? {}
  const known = held ? position : Math.max(shown, position)
  const owed = (lowest.get(room.text) ?? Number.POSITIVE_INFINITY) - 1
  return [room.text, log, nick, Math.min(known, owed)]
}

/** What it brought along */
function hadFrom(room: Jid, owed: Iterable<Envelope>): ReadonlySet<number> {
  const had = new Set<number>()
  for (const { said, from } of owed) if (said > 0 && from.bare.equals(room)) had.add(said)
  return had
}
