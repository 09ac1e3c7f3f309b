// The rooms that this node owns (lib/cluster/owners.ts): read from the database when somebody comes for one,
// made where there is none and whoever comes may do so, let go when nobody was in it for a while.

import type { Question } from '../../../lib/cluster/tenures.js'
import type { Member } from '../../../lib/cluster/cluster.js'
import type { Owned } from '../../../lib/cluster/owners.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Stanza } from '../../../lib/xmpp/stanza.js'
import { Deed, doDeed } from '../setup/deeds.js'
import { gather, settleThose, take } from './census-taking.js'
import { checkedNick } from '../entering.js'
import type { Visit } from '../feature.js'
import type { Census } from './words.js'
import type { Visitor } from '../occupants.js'
import { NS_MUC, unavailable, userElement } from '../presences.js'
import type { Room } from '../room.js'
import type { Settings } from '../settings.js'
import type { Venue } from '../venue.js'
import { Caller } from './visits.js'

/** Milliseconds for which a room is kept that nobody is in */
const IDLE = 60_000
const CREATE = 'create'
/** For which it is remembered who left: longer than any session is awaited */
const REMEMBERED = 2 * 86_400_000

export class OwnedRooms {
  readonly #venue: Venue
  readonly #owned: Owned
  /** Rooms that nobody is in, since when */
  readonly #idle = new Map<string, number>()
  /** Being made: who comes meanwhile waits. */
  readonly #making = new Map<string, Promise<unknown>>()

  constructor(venue: Venue) {
    this.#venue = venue
    this.#owned = venue.host.server.owners.of(`room ${venue.host.domain}`, {
      take: (key, epoch) => this.#take(key, epoch),
      answer: (key, question) => this.#answer(key, question),
      release: (key) => this.#release(key),
    })
  }

  /** To the room's owner, whoever that is; the answer is for whoever sent it. */
  async call(caller: Caller): Promise<string | null> {
    const { envelope } = caller
    if (!(await this.#mayBeThere(envelope))) return withoutRoom(envelope)
    return (await this.#owned.call(envelope.to.bare.text, caller)) as string | null
  }

  /** Nobody comes to own what strangers make up: what is not in the database is asked for by who may make it. */
  async #mayBeThere({ to, from, stanza }: Envelope): Promise<boolean> {
    if (this.#owned.isKnown(to.bare.text)) return true
    if (await this.#venue.store.find(to.local)) return true
    if (!isJoin(stanza)) return false
    checkedNick(to)
    await checkMayCreate(this.#venue, from)
    return true
  }

  /** By administration, done by its owner; refused where there is no such room */
  async deed(address: Jid, name: string, args: unknown = null): Promise<unknown> {
    return this.#owned.call(address.bare.text, new Deed(name, args))
  }

  /** By administration; it is open at once. */
  async create(address: Jid, made: { owner: Jid; settings: Partial<Settings> }): Promise<void> {
    await this.deed(address, CREATE, { ...made, owner: made.owner.text })
  }

  /** Tells a room's owner who of this node is in it; whether there is such a room. */
  async count(census: Census): Promise<boolean> {
    return (await this.#owned.call(census.room, { census })) === true
  }

  has(address: Jid): boolean {
    return this.#owned.tenures.has(address.bare.text)
  }

  async #take(key: string, epoch: number): Promise<void> {
    const venue = this.#venue
    venue.epochs.set(key, epoch)
    const room = await venue.load(Jid.parse(key).local)
    this.#idle.set(key, venue.host.clock.now())
    if (!room) return
    const tidied = venue.store.tidy(room.number, venue.host.clock.now() - REMEMBERED)
    venue.host.server.pending(tidied.catch((error) => venue.host.failed('rooms', error)))
    await gather(room, (...asked) => venue.headcount.ask(...asked))
    if (room.destroyed) return
    for (const { taken } of venue.features) await taken?.(room)
    this.#note(key, room)
  }

  async #answer(key: string, { content, from, number }: Question): Promise<unknown> {
    while (this.#making.has(key)) await this.#making.get(key)
    const deed = Deed.read(content)
    if (deed) return this.#do(key, deed)
    if (isCensus(content)) return this.#count(key, from, content.census)
    const { envelope, isOurs, inside } = Caller.read(content)
    const { node, life } = isOurs ? this.#memberAt(from) : { node: '', life: '' }
    const visit: Visit = { envelope, node, life, number, inside: inside || !isOurs }
    const room = this.#venue.rooms.get(key) ?? (await this.#make(key, visit))
    if (!room) return withoutRoom(envelope)
    const reply = await room.receive(visit)
    this.#note(key, room)
    return reply ? reply.render('', '') : null
  }

  async #do(key: string, deed: Deed): Promise<unknown> {
    const room = this.#venue.rooms.get(key)
    if (deed.name === CREATE) {
      if (room) throw new StanzaError('conflict', 'there is such a room')
      const { owner, settings } = deed.args as { owner: string; settings: Partial<Settings> }
      const made = { owner: Jid.parse(owner), settings, locked: false }
      const created = await this.#alone(key, this.#venue.create(Jid.parse(key).local, made))
      this.#note(key, created)
      return null
    }
    if (!room) throw new StanzaError('item-not-found', 'there is no such room')
    const done = await doDeed(room, deed)
    this.#note(key, room)
    return done
  }

  #memberAt(node: string): Member {
    const { server } = this.#venue.host
    const life = node === server.node ? server.life : (server.members.lifeOf(node) ?? '')
    return { node, life }
  }

  async #count(key: string, from: string, census: Census): Promise<boolean> {
    const room = this.#venue.rooms.get(key)
    if (!room) return false
    await room.lane.alone(() => take(room, this.#memberAt(from), census))
    this.#note(key, room)
    return !room.destroyed
  }

  /** Whether sessions of that life are in rooms of this node. */
  isIn(life: string): boolean {
    for (const { occupants } of this.#venue.rooms.values())
      for (const visitor of occupants.visitors()) if (visitor.life === life) return true
    return false
  }

  /** Sessions of a life that is over, or of any that are awaited: whoever does not come back is gone. */
  async settle(life?: string): Promise<void> {
    for (const [key, room] of [...this.#venue.rooms]) {
      const which = (visitor: Visitor): boolean =>
        life === undefined ? visitor.away === true : visitor.life === life
      await settleThose(room, which)
      if (room.occupants.size === 0) this.#note(key, room)
    }
  }

  #note(key: string, room: Room): void {
    if (room.occupants.size > 0) this.#idle.delete(key)
    else if (!this.#idle.has(key)) this.#idle.set(key, this.#venue.host.clock.now())
  }

  /** Undefined where what came needs no answer. */
  async #make(key: string, visit: Visit): Promise<Room | undefined> {
    const { stanza, from, to } = visit.envelope
    if (!isJoin(stanza)) return undefined
    checkedNick(to)
    return this.#alone(key, this.#create(key, from))
  }

  /** Who comes meanwhile waits. */
  async #alone(key: string, making: Promise<Room>): Promise<Room> {
    this.#making.set(
      key,
      making.catch(() => undefined),
    )
    try {
      return await making
    } finally {
      this.#making.delete(key)
    }
  }

  async #create(key: string, owner: Jid): Promise<Room> {
    await checkMayCreate(this.#venue, owner)
    return this.#venue.create(Jid.parse(key).local, { owner, locked: true })
  }

  async #release(key: string): Promise<void> {
    const room = this.#venue.rooms.get(key)
    this.#idle.delete(key)
    this.#venue.epochs.delete(key)
    if (!room) return
    await room.lane.alone(() => this.#venue.host.journal.settled())
    this.#venue.rooms.delete(key)
    for (const { released } of this.#venue.features) released?.(room)
  }

  /** Lets go what nobody has been in for a while. */
  async tidy(): Promise<void> {
    const before = this.#venue.host.clock.now() - IDLE
    for (const [key, since] of [...this.#idle]) if (since <= before) await this.#owned.letGo(key)
  }

  close(): Promise<void> {
    return this.#owned.close()
  }
}

function isJoin(stanza: Stanza): boolean {
  return stanza.kind === 'presence' && stanza.type === '' && stanza.has('x', NS_MUC)
}

/** What needs no answer has none. */
function withoutRoom(envelope: Envelope): string | null {
  const { stanza, to } = envelope
  if (stanza.kind === 'presence') return believesToBeIn(envelope) ? NOT_IN : null
  if (stanza.kind === 'iq' && (stanza.type === 'result' || stanza.type === 'error')) return null
  // XEP-0410 §3.3: of a room that is gone it is believed, too, that one is in it.
  if (stanza.kind === 'iq' && to.resource !== '')
    throw new StanzaError('not-acceptable', 'you are not in this room')
  throw new StanzaError('item-not-found', 'there is no such room')
}

function isCensus(content: unknown): content is { readonly census: Census } {
  return typeof content === 'object' && content !== null && 'census' in content
}

/** §7.2.18: a room that is gone is no different from one that somebody was sent out of. */
function believesToBeIn({ stanza: { kind, type }, to }: Envelope): boolean {
  return kind === 'presence' && type === '' && to.resource !== ''
}

const NOT_IN = unavailable()
  .with({ append: userElement({ affiliation: 'none', role: 'none' }, [110, 307, 333]) })
  .render('', '')

/** §10.1.1 */
export async function checkMayCreate({ host, limits, store }: Venue, owner: Jid): Promise<void> {
  if (host.isAdmin(owner.bare)) return
  const { whoMayCreate, roomsPerAccount } = limits
  const ours = owner.domain === host.domain
  if (whoMayCreate === 'admins' || (whoMayCreate === 'local' && !ours))
    throw new StanzaError('not-allowed', 'you may not create rooms here')
  if ((await store.countCreatedBy(owner)) >= roomsPerAccount)
    throw new StanzaError('resource-constraint', `nobody owns more than ${roomsPerAccount} rooms`)
}
