// Roster pushes (RFC 6121 §2.1.6): to each client of the account that asked for the roster, on whatever node:
// each node pushes to its own. What another node pushed unheard is noticed by the version and pushed again.

import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'
import { xml } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_ROSTER } from '../../lib/xmpp/namespaces.js'
import { type Item, itemElement } from './item.js'
import type { Roster } from './roster-cache.js'
import type { Rosters } from './rosters.js'

export const PUSH = 'roster push'
/** Accounts of one question */
const TOGETHER = 500

/** JSON of what one node tells the others */
export interface Told {
  readonly account: string
  readonly item: Omit<Item, 'contact'> & { readonly contact: string }
  readonly version: number
}

const shown = Symbol('version of the roster that a session was given')

export class Pushes {
  readonly #host: Host
  readonly #rosters: Rosters
  #unsure = false

  constructor(host: Host, rosters: Rosters) {
    this.#host = host
    this.#rosters = rosters
  }

  push(account: Jid, item: Item, version: number): void {
    this.#here(account, item, version)
    const told: Told = {
      account: account.text,
      item: { ...item, contact: item.contact.text },
      version,
    }
    this.#host.tellOthers(PUSH, told)
  }

  /** Another node has pushed it to its sessions. */
  heard({ account, item, version }: Told): void {
    this.#here(Jid.parse(account), { ...item, contact: Jid.parse(item.contact) }, version)
  }

  #here(account: Jid, item: Item, version: number): void {
    for (const session of this.#host.sessions.of(account))
      if (session.interested) this.to(session.jid, item, version)
  }

  /** SEC-51: clients believe pushes of their own account alone. */
  to(client: Jid, item: Item, version: number): void {
    const query = xml('query', { xmlns: NS_ROSTER, ver: String(version) }, itemElement(item))
    this.#host.iq.push(query, { from: client.bare, to: client })
  }

  // What a session knows

  /** §2.2: from here on it is interested. */
  given(session: Session, version: number): void {
    session.interested = true
    session.memo.set(shown, version)
  }

  /** All that it was certainly given; undefined where it never asked. */
  since(session: Session): number | undefined {
    return session.memo.get(shown) as number | undefined
  }

  /** Which of the pushes since then have reached the client nobody knows: it gets them again. */
  again(session: Session, roster: Roster, since: number): void {
    const items = since < roster.floor ? roster.items() : roster.changedSince(since)
    for (const item of items) this.to(session.jid, item, item.version)
  }

  /** Others may have pushed something that was not heard here. */
  doubt(): void {
    this.#unsure = true
  }

  /** Again and again */
  async catchUp(): Promise<void> {
    if (!this.#unsure && this.#host.server.changes.believed === Number.POSITIVE_INFINITY) return
    this.#unsure = false
    try {
      await this.#catchUp([...this.#host.sessions.all()].filter(({ interested }) => interested))
    } catch (error) {
      this.#unsure = true
      throw error
    }
  }

  async #catchUp(sessions: readonly Session[]): Promise<void> {
    for (let at = 0; at < sessions.length; at += TOGETHER) {
      const some = sessions.slice(at, at + TOGETHER)
      const numbers = [...new Set(some.map(({ number }) => number))]
      const versions = await this.#rosters.store.versions(numbers)
      for (const session of some)
        if ((versions.get(session.number) ?? 0) > (this.since(session) ?? 0))
          await this.#bringUpToDate(session)
    }
  }

  async #bringUpToDate(session: Session): Promise<void> {
    const roster = await this.#rosters.of(session.number)
    const since = this.since(session)
    if (since === undefined || session.closed) return
    this.again(session, roster, since)
    this.given(session, roster.version)
    session.changed()
  }
}
