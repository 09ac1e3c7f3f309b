// Who is in a room: occupants by nick, each with the sessions of one account that share it (XEP-0045
// §7.2.8), which are called visitors here. Kept in the order in which they came.

import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { likeness } from './people/nick-likeness.js'
import type { Role } from './standing.js'

/** One session in the room, ours or of another server */
export interface Visitor {
  /** Full */
  readonly jid: Jid
  /** The node that has the session; '' where it is another server's */
  node: string
  /** Of that node, in which it came */
  life?: string
  /** Its node is gone, and somebody may take it up again elsewhere: it hears nothing until then. */
  away?: boolean
  /** The last presence it sent, without what only the room may say */
  presence: Stanza
}

export interface Occupant {
  /** In the room: room@service/nick */
  jid: Jid
  /** Bare, real */
  readonly account: Jid
  role: Role
  /** Came when there were so many that only moderators are told of one more (telling.ts) */
  unseen?: boolean
  /** The role in which the others saw it last, where they did */
  seenAs?: Role
  /** Never empty; the first is the one that is shown. */
  readonly visitors: Visitor[]
}

export class Occupants {
  readonly #byNick = new Map<string, Occupant>()
  readonly #byVisitor = new Map<string, Occupant>()
  /** By what nicks have in common; more than one where they are of the same account */
  readonly #alike = new Map<string, Occupant[]>()

  get size(): number {
    return this.#byNick.size
  }

  /** In the order in which they came */
  all(): IterableIterator<Occupant> {
    return this.#byNick.values()
  }

  *visitors(): Generator<Visitor> {
    for (const { visitors } of this.#byNick.values()) yield* visitors
  }

  byNick(nick: string): Occupant | undefined {
    return this.#byNick.get(nick)
  }

  /** Whoever has this nick, or one that is too much like it */
  like(nick: string): readonly Occupant[] {
    return this.#alike.get(likeness(nick)) ?? []
  }

  /** By full real address */
  of(visitor: Jid): Occupant | undefined {
    return this.#byVisitor.get(visitor.text)
  }

  /** By bare real address */
  *ofAccount(account: Jid): Generator<Occupant> {
    for (const occupant of this.#byNick.values())
      if (occupant.account.equals(account)) yield occupant
  }

  add(occupant: Occupant): void {
    this.#named(occupant)
    for (const { jid } of occupant.visitors) this.#byVisitor.set(jid.text, occupant)
  }

  /** Another session of somebody who is there */
  join(occupant: Occupant, visitor: Visitor): void {
    occupant.visitors.push(visitor)
    this.#byVisitor.set(visitor.jid.text, occupant)
  }

  /** Whether the occupant is gone with it */
  leave(occupant: Occupant, visitor: Visitor): boolean {
    this.#byVisitor.delete(visitor.jid.text)
    const { visitors } = occupant
    const at = visitors.indexOf(visitor)
    if (visitors.length > 1) {
      if (at >= 0) visitors.splice(at, 1)
      return false
    }
    this.#unnamed(occupant)
    return true
  }

  remove(occupant: Occupant): void {
    for (const { jid } of occupant.visitors) this.#byVisitor.delete(jid.text)
    this.#unnamed(occupant)
  }

  rename(occupant: Occupant, jid: Jid): void {
    this.#unnamed(occupant)
    occupant.jid = jid
    this.#named(occupant)
  }

  #named(occupant: Occupant): void {
    const { resource } = occupant.jid
    const key = likeness(resource)
    this.#byNick.set(resource, occupant)
    this.#alike.set(key, [...(this.#alike.get(key) ?? []), occupant])
  }

  #unnamed(occupant: Occupant): void {
    const { resource } = occupant.jid
    const key = likeness(resource)
    this.#byNick.delete(resource)
    const others = this.#alike.get(key)?.filter((one) => one !== occupant) ?? []
    if (others.length > 0) this.#alike.set(key, others)
    else this.#alike.delete(key)
  }
}

export function visitorOf(occupant: Occupant, jid: Jid): Visitor | undefined {
  return occupant.visitors.find((visitor) => visitor.jid.equals(jid))
}

/** Its node, which may be another one than before */
export function isAt(visitor: Visitor, { node, life }: { node: string; life: string }): void {
  visitor.node = node
  visitor.life = life
  delete visitor.away
}
