// Sessions of this node that are in rooms, whoever owns those. Here arrives what owners say: things for
// everybody, and who of this node is in their rooms. Where an owner is gone, or something may not have arrived,
// this node tells whoever owns the room now who is here.

import type { Member } from '../../../lib/cluster/cluster.js'
import type { Host } from '../../../lib/core/host.js'
import type { Session } from '../../../lib/core/session.js'
import type { Sessions } from '../../../lib/core/sessions.js'
import type { Recorded } from '../../../lib/storage/message-log.js'
import { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Said, Tenure } from './fan-out.js'
import { type Guest, Lodging } from './lodging.js'
import { unavailable, userElement } from '../presences.js'
import type { Census, Counted, Word } from './words.js'

type WordFrame = readonly [room: string, epoch: number, word: Word]

const key = Symbol('rooms')
const known = new WeakMap<Sessions, Map<string, Lodging>>()

export class Guests {
  /** By address of the room */
  readonly lodgings: Map<string, Lodging>
  readonly #host: Host
  readonly #topic: string
  readonly #idOf: (room: Jid, number: number) => string
  readonly #ends: () => void
  /** Who asked to come into a room and has no answer yet */
  readonly #coming = new Map<string, Set<string>>()

  constructor(host: Host, idOf: (room: Jid, number: number) => string) {
    this.#host = host
    this.#idOf = idOf
    this.lodgings = known.get(host.sessions) ?? new Map()
    known.set(host.sessions, this.lodgings)
    this.#topic = `rooms ${host.domain} guests`
    this.#ends = host.server.talk.on(this.#topic, (content, from) => {
      const [room, epoch, word] = content as WordFrame
      this.heard({ room, epoch }, word, from)
    })
  }

  close(): void {
    this.#ends()
  }

  /** To the node of a visitor, in order with all else that its rooms say there */
  tell(tenure: Tenure, word: Word, node: string): void {
    const { server } = this.#host
    const frame: WordFrame = [tenure.room, tenure.epoch, word]
    if (node === server.node) this.heard(tenure, word, node)
    else server.talk.tell(this.#topic, frame, node)
  }

  /** An owner says something to these addresses: one thing, or several of which none is in the log. */
  told(tenure: Tenure, all: readonly Said[], to: readonly string[]): void {
    const lodging = this.lodgings.get(tenure.room)
    if (lodging && !lodging.believes(tenure.epoch)) return
    for (const said of all) if (said.number === 0) this.#toOthers(lodging, said, to)
    lodging?.said(all, to)
  }

  /** Who is not in the room is told so, as an answer. What is for everybody is not for him. */
  #toOthers(lodging: Lodging | undefined, { stanza, from, arrived }: Said, to: readonly string[]) {
    for (const address of to) {
      if (lodging?.guests.has(address)) continue
      const session = this.#sessionAt(address)
      session?.write(new Envelope({ stanza, from, to: session.jid, origin: 'local', arrived }))
    }
  }

  /** Of this host, or of another one that is ours */
  #sessionAt(address: string): Session | undefined {
    const session = this.#host.sessions.at(address)
    if (session) return session
    const { domain } = Jid.parse(address)
    if (domain === this.#host.domain) return undefined
    return this.#host.server.hosts.get(domain)?.sessions.at(address)
  }

  heard({ room, epoch }: Tenure, word: Word, from: string): void {
    const there = this.lodgings.get(room)
    if (there && !there.believes(epoch)) return
    if (there) there.owner = this.#memberAt(from)
    if (word.is === 'out') there?.inTurn(() => this.leave(room, word.address))
    else if (word.is === 'newest') there?.reaches(word.newest)
    else this.#in({ room, epoch }, word, from)
  }

  #memberAt(node: string): Member {
    const { server } = this.#host
    const life = node === server.node ? server.life : (server.members.lifeOf(node) ?? '')
    return { node, life }
  }

  #in(
    { room, epoch }: Tenure,
    { address, nick, log, newest }: Extract<Word, { is: 'in' }>,
    from: string,
  ): void {
    const lodging = this.#lodgingOf(Jid.parse(room), { log, epoch, shown: newest })
    lodging.owner = this.#memberAt(from)
    lodging.inTurn(() => {
      const guest = lodging.guests.get(address)
      if (!guest || guest.session.closed) {
        const session = this.#sessionAt(address)
        if (session) this.add(lodging, { session, nick, position: newest })
        else if (guest) this.leave(room, address)
        return
      }
      guest.nick = nick
      if (guest.back) this.#isBack(lodging, guest, newest)
    })
  }

  #isBack(lodging: Lodging, guest: Guest, newest: number): void {
    guest.back?.keep()
    delete guest.back
    this.#host.server.pending(lodging.catchUp(guest, newest))
  }

  #lodgingOf(room: Jid, place: { log: number; epoch: number; shown: number }): Lodging {
    const there = this.lodgings.get(room.text)
    // What has its name now may be another room.
    if (there && there.log === place.log) {
      for (const { back } of there.guests.values()) if (!back) return there
      there.shown = Math.max(there.shown, place.shown)
      return there
    }
    const made = new Lodging(this.#host, { room, ...place }, this.#idOf)
    if (there) made.epoch = Math.max(made.epoch, there.epoch)
    for (const guest of there?.guests.values() ?? []) this.add(made, guest)
    this.lodgings.set(room.text, made)
    return made
  }

  add(lodging: Lodging, guest: Guest): void {
    const { session } = guest
    lodging.guests.set(session.jid.text, guest)
    const mine = session.memo.get(key) as Map<string, Lodging> | undefined
    if (mine) mine.set(lodging.room.text, lodging)
    else session.memo.set(key, new Map([[lodging.room.text, lodging]]))
    session.changed()
  }

  /** A session that was made again, and whose place in the room its owner does not know yet */
  returns(
    room: Jid,
    place: { log: number; shown: number },
    guest: Omit<Guest, 'held' | 'back'>,
  ): Guest {
    const lodging = this.#lodgingOf(room, { ...place, epoch: 0 })
    let keep = (): void => undefined
    const promise = new Promise<void>((resolve) => {
      keep = resolve
    })
    const back: Guest = { ...guest, held: [], back: { promise, keep } }
    this.add(lodging, back)
    return back
  }

  /** When everything that a room has said here so far has had its turn; undefined where it has. */
  turn(room: string): Promise<void> | undefined {
    const lodging = this.lodgings.get(room)
    return lodging?.busy ? new Promise((resolve) => lodging.inTurn(resolve)) : undefined
  }

  /** The same where much has its turn yet: nobody says more than can be told. */
  relief(room: string): Promise<void> | undefined {
    return this.lodgings.get(room)?.farBehind ? this.turn(room) : undefined
  }

  find(room: string, address: string): Guest | undefined {
    return this.lodgings.get(room)?.guests.get(address)
  }

  /** Of one session */
  of(session: Session): IterableIterator<Lodging> {
    return ((session.memo.get(key) as Map<string, Lodging> | undefined) ?? new Map()).values()
  }

  /** Gives back what ends it. */
  coming(room: string, address: string): () => void {
    const there = this.#coming.get(room) ?? new Set<string>()
    this.#coming.set(room, there.add(address))
    return () => {
      there.delete(address)
      if (there.size === 0 && this.#coming.get(room) === there) this.#coming.delete(room)
    }
  }

  leave(room: string, address: string): void {
    const lodging = this.lodgings.get(room)
    const guest = lodging?.guests.get(address)
    if (!lodging || !guest) return
    lodging.guests.delete(address)
    guest.back?.keep()
    ;(guest.session.memo.get(key) as Map<string, Lodging> | undefined)?.delete(room)
    guest.session.changed()
    if (lodging.guests.size === 0) this.lodgings.delete(room)
  }

  /** §7.2.18: there is no such room any more. */
  dismiss(room: string, { session, nick }: Guest): void {
    this.leave(room, session.jid.text)
    const from = Jid.parse(room).withResource(nick)
    const stanza = unavailable().with({
      append: userElement({ affiliation: 'none', role: 'none' }, [110, 333]),
    })
    const arrived = this.#host.clock.now()
    session.write(new Envelope({ stanza, from, to: session.jid, origin: 'local', arrived }))
  }

  /** It is gone from here: its rooms hear of that from whoever sees to its presence. */
  gone(session: Session): void {
    for (const { room, guests } of [...this.of(session)])
      if (guests.get(session.jid.text)?.session === session) this.leave(room.text, session.jid.text)
  }

  /** All of one room, for its owner, who is to be believed from then on */
  census(room: string, tenure: { epoch: number; owner: Member } | undefined, since = 0): Census {
    const lodging = this.lodgings.get(room)
    if (lodging && tenure?.owner && lodging.believes(tenure.epoch)) lodging.owner = tenure.owner
    const guests = [...(lodging?.guests.values() ?? [])].filter(({ session }) => !session.closed)
    const pending = [...(this.#coming.get(room) ?? [])]
    return { room, whole: true, pending, guests: guests.map(counted), since }
  }

  /** From the log, which this node follows: what was said in a room of this host */
  logged({ id, to, sides }: Recorded): void {
    const lodging = this.lodgings.get(Jid.parse(to).bare.text)
    if (sides.some(({ owner }) => owner === lodging?.log)) lodging?.reaches(id)
  }
}

export function counted({ session, nick, presence }: Guest): Counted {
  return { address: session.jid.text, nick, presence: presence?.render('', '') ?? '' }
}
