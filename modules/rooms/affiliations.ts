// Who has a lasting standing in a room, by bare address or by a whole domain (XEP-0045 §9): what an
// address has of its own counts before what its domain has.

import type { Jid } from '../../lib/xmpp/jid.js'
import { likeness } from './people/nick-likeness.js'
import type { Affiliation } from './standing.js'

/** LIM-affiliations: entries of one room */
export const MOST_AFFILIATIONS = 20_000

export interface Affiliated {
  /** Bare, or a domain */
  readonly jid: Jid
  readonly affiliation: Exclude<Affiliation, 'none'>
  /** Reserved for them (§7.10) */
  readonly nick?: string
  readonly reason?: string
  /** Of this affiliation, in milliseconds since 1970; before it was remembered where it is not there */
  readonly since?: number
}

export class Affiliations {
  readonly #entries = new Map<string, Affiliated>()
  /** By what their nicks have in common with others that are too much like them */
  readonly #reserved = new Map<string, Affiliated>()

  constructor(entries: Iterable<Affiliated> = []) {
    for (const entry of entries) this.set(entry)
  }

  get size(): number {
    return this.#entries.size
  }

  of(jid: Jid): Affiliation {
    return this.entry(jid)?.affiliation ?? this.#entries.get(jid.domain)?.affiliation ?? 'none'
  }

  /** Its own, not its domain's */
  entry(jid: Jid): Affiliated | undefined {
    return this.#entries.get(jid.bare.text)
  }

  *all(affiliation?: Affiliation): Generator<Affiliated> {
    for (const entry of this.#entries.values())
      if (affiliation === undefined || entry.affiliation === affiliation) yield entry
  }

  count(affiliation: Affiliation): number {
    let count = 0
    for (const _ of this.all(affiliation)) count++
    return count
  }

  /** Who has reserved this nick, or one that is too much like it */
  reserved(nick: string): Affiliated | undefined {
    return this.#reserved.get(likeness(nick))
  }

  set(entry: Affiliated): void {
    this.#giveUp(entry.jid)
    this.#entries.set(entry.jid.text, entry)
    const key = entry.nick === undefined ? undefined : likeness(entry.nick)
    if (key !== undefined && !this.#reserved.has(key)) this.#reserved.set(key, entry)
  }

  remove(jid: Jid): void {
    this.#giveUp(jid)
    this.#entries.delete(jid.bare.text)
  }

  #giveUp(jid: Jid): void {
    const entry = this.entry(jid)
    if (entry?.nick === undefined) return
    const key = likeness(entry.nick)
    if (this.#reserved.get(key) === entry) this.#reserved.delete(key)
  }
}
