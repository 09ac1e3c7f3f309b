// One room as a node has it that does not own it, or does: which sessions of this node are in it, and up to
// where they were shown what was said. What was said before something that arrives, and was not shown here, is
// read from the room's log first: it was on disk before anybody got it. What an earlier owner says is not
// believed.

import type { Member } from '../../../lib/cluster/cluster.js'
import type { Host } from '../../../lib/core/host.js'
import type { Session } from '../../../lib/core/session.js'
import { timeOf } from '../../../lib/storage/logged-message.js'
import type { Logged } from '../../../lib/storage/message-log.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import { late } from '../../../lib/xmpp/held-back.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Stanza } from '../../../lib/xmpp/stanza.js'
import { shownAs } from '../said/authors.js'
import type { Said } from './fan-out.js'
import { TurnTaking } from './turn-taking.js'

const PAGE = 200
/** LIM-held-for-guests: what comes for one session while it is behind */
export const MOST_HELD = 1000
/** Milliseconds until what could not be read is asked for again */
const AGAIN = 1000

/** A session of this node that is in a room */
export interface Guest {
  readonly session: Session
  nick: string
  /** What is not newer it was shown before it came, or before it was made again. */
  position: number
  /** The last presence that it sent to the room */
  presence?: Stanza
  /** What comes for it while it is behind */
  held?: Envelope[]
  /** What was said up to there came when too much was held already: it is read. */
  beyond?: number
  /** Numbers beyond its position that it has all the same */
  had?: ReadonlySet<number>
  /** Kept once its owner knows that it is on this node now */
  back?: { readonly promise: Promise<void>; keep(): void }
}

export class Lodging {
  readonly room: Jid
  /** By full address */
  readonly guests = new Map<string, Guest>()
  log: number
  epoch: number
  owner: Member | undefined
  /** Up to here everything that was said was shown here. */
  shown: number
  /** Something was shown since sessions were last written down. */
  moved = false
  readonly #host: Host
  readonly #idOf: (room: Jid, number: number) => string
  readonly #turns: TurnTaking
  /** Of which it is known that it was said */
  #known = 0

  constructor(
    host: Host,
    place: { room: Jid; log: number; epoch: number; shown: number },
    idOf: (room: Jid, number: number) => string,
  ) {
    this.#host = host
    this.#turns = new TurnTaking((error) => host.failed('rooms', error))
    this.#idOf = idOf
    this.room = place.room
    this.log = place.log
    this.epoch = place.epoch
    this.shown = place.shown
  }

  /** Whether this is the owner's word: in this tenure, or in one that is newer. */
  believes(epoch: number): boolean {
    if (epoch < this.epoch) return false
    this.epoch = epoch
    return true
  }

  /** Something waits for its turn. */
  get busy(): boolean {
    return this.#turns.busy
  }

  /** Much waits: whoever says more waits, too. */
  get farBehind(): boolean {
    return this.#turns.farBehind
  }

  /** After everything that came before, and in order. */
  inTurn(run: () => void): void {
    this.#turns.take(run)
  }

  /** One after the other, to the same sessions */
  said(all: readonly Said[], to: readonly string[]): void {
    this.#turns.take(() => this.#say(all, to))
  }

  #say(all: readonly Said[], to: readonly string[]): void {
    const { previous } = all[0]!
    if (previous > this.shown) this.#after(previous, () => this.#say(all, to))
    else if (all.length === 1) this.#show(all[0]!, to)
    else this.#showAll(all, to)
  }

  /** To few; nothing of it is in the log. */
  #showAll(all: readonly Said[], to: readonly string[]): void {
    for (const address of to) {
      const guest = this.guests.get(address)
      if (guest) for (const said of all) this.#give(guest, said)
    }
    this.#turns.share(all.length * to.length)
    this.moved = true
  }

  #show(said: Said, to: readonly string[]): void {
    const { number } = said
    if (number > 0 && number <= this.shown) return
    // What is for everybody is for all who are here, whatever the owner knows of them yet.
    this.#showFrom(0, said, number > 0 ? [...this.guests.keys()] : to)
  }

  /** So many in one turn of the event loop: who has nothing to do with the room waits for no more. */
  #showFrom(first: number, said: Said, to: readonly string[]): void {
    const next = first + this.#turns.share(to.length - first)
    for (let i = first; i < next; i++) {
      const guest = this.guests.get(to[i]!)
      if (guest) this.#give(guest, said)
    }
    if (next < to.length) this.#nextTurn(() => this.#showFrom(next, said, to))
    else {
      if (said.number > 0) this.shown = said.number
      this.moved = true
    }
  }

  #give(guest: Guest, { stanza, from, number, arrived }: Said): void {
    const { jid } = guest.session
    const parts = { stanza, from, to: jid, origin: 'local', arrived, said: number } as const
    this.give(guest, new Envelope(parts))
  }

  /** What comes for the room meanwhile waits. */
  #nextTurn(goOn: () => void): void {
    this.#turns.hold()
    const turn = new Promise<void>((resolve) => setImmediate(resolve))
    this.#host.server.pending(turn.then(() => this.#turns.goOn(goOn)))
  }

  give(guest: Guest, envelope: Envelope): void {
    const { held } = guest
    if (!held) return void guest.session.write(envelope)
    held.push(envelope)
    if (held.length > MOST_HELD) guest.beyond = Math.max(guest.beyond ?? 0, held.shift()!.said)
  }

  /** So much was said; what was not shown here is read. */
  reaches(newest: number): void {
    this.#known = Math.max(this.#known, newest)
    this.inTurn(() => {
      if (newest > this.shown && this.guests.size > 0) this.#after(newest, () => undefined)
      else this.shown = Math.max(this.shown, newest)
    })
  }

  /** Once everything up to there was read; nothing overtakes it. */
  #after(newest: number, then: () => void): void {
    this.#turns.hold()
    this.#host.server.pending(this.#read(newest, then))
  }

  async #read(newest: number, then: () => void): Promise<void> {
    const upTo = Math.max(newest, this.#known)
    await this.#each(this.shown, upTo, (logged) => this.#given(logged))
    this.shown = Math.max(this.shown, upTo)
    // One of those that waited may find something missing again.
    this.#turns.goOn(then)
  }

  #given(logged: Logged): void {
    this.shown = logged.id
    this.moved = true
    for (const guest of this.guests.values()) {
      const envelope = this.#envelope(logged, guest)
      if (envelope) this.give(guest, envelope)
    }
  }

  #envelope({ id, from, text }: Logged, guest: Guest): Envelope | undefined {
    if (id <= guest.position || guest.had?.has(id)) return undefined
    const stanza = shownAs(text, 'none').with({ append: this.#idOf(this.room, id) })
    const addresses = { from: Jid.parse(from), to: guest.session.jid }
    const envelope = {
      stanza,
      ...addresses,
      origin: 'local',
      arrived: timeOf(id),
      said: id,
    } as const
    return late(new Envelope(envelope), this.room.attr)
  }

  /** What was said since it was last shown anything: then it is as the others. */
  async catchUp(guest: Guest, newest: number): Promise<void> {
    const { session } = guest
    for (let upTo = newest; upTo > guest.position; upTo = guest.beyond ?? 0) {
      await this.#each(guest.position, upTo, (logged) => {
        const envelope = this.#envelope(logged, guest)
        if (envelope) session.write(envelope)
        guest.position = logged.id
      })
      guest.position = upTo
    }
    const { had, held = [] } = guest
    delete guest.held
    delete guest.had
    for (const envelope of held) {
      const { said } = envelope
      if (said === 0 || (said > guest.position && !had?.has(said))) session.write(envelope)
    }
  }

  /** Never rejects: the database may be away for a moment. */
  async #each(after: number, newest: number, use: (logged: Logged) => void): Promise<void> {
    const { messages, clock, server } = this.#host
    for (let last = after; last < newest && !server.stopping; ) {
      try {
        const range = { owner: this.log, after: last, before: newest + 1, flags: 0, limit: PAGE }
        const page = await messages.page(range)
        for (const logged of page.messages) use(logged)
        if (page.complete || page.messages.length === 0) return
        last = page.messages.at(-1)!.id
      } catch (error) {
        this.#host.failed('rooms', error)
        await new Promise<void>((resolve) => clock.after(AGAIN, resolve))
      }
    }
  }
}
