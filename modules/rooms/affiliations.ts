// Who has a lasting standing in a room, by bare address or by a whole domain (XEP-0045 §9): what an
// address has of its own counts before what its domain has.

import type { Jid } from '../../lib/xmpp/jid.js'
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

  constructor(entries: Iterable<Affiliated> = []) {
    for (const entry of entries) this.#entries.set(entry.jid.text, entry)
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

  /** Whose nick this is, if it is reserved */
  reserved(nick: string): Affiliated | undefined {
    for (const entry of this.#entries.values()) if (entry.nick === nick) return entry
    return undefined
  }

  set(entry: Affiliated): void {
    this.#entries.set(entry.jid.text, entry)
  }

  remove(jid: Jid): void {
    this.#entries.delete(jid.bare.text)
  }
}
