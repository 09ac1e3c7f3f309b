// Accounts for the length of a session (XEP-0175): in memory only, with a name nobody can guess and a
// number below zero that follows from it, so that other nodes know it by the name. When the last session of a guest ends, every module forgets it as it would an
// account that was removed; there is no tombstone, as its name will not come again.

import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import type { Account } from '../../lib/core/module.js'
import type { Host } from '../../lib/core/host.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountRow } from './store.js'

const MOST = 10_000

export class Guests {
  readonly #host: Host
  readonly #guests = new Map<string, AccountRow>()
  readonly #numbers = new Set<number>()
  readonly #draw: () => string

  constructor(host: Host, draw: () => string = randomUUID) {
    this.#host = host
    this.#draw = draw
  }

  get size(): number {
    return this.#guests.size
  }

  find(local: string): AccountRow | undefined {
    return this.#guests.size === 0 ? undefined : this.#guests.get(local)
  }

  /** Undefined where there is no room for another. */
  admit(): Account | undefined {
    if (this.#guests.size >= MOST) return undefined
    const row = this.#unlike()
    const { local, number } = row
    this.#guests.set(local, row)
    this.#numbers.add(number)
    return { number, disabled: false, jid: Jid.of(local, this.#host.domain) }
  }

  /** A number has fewer bits than a name: what one guest leaves would be another's. */
  #unlike(): AccountRow {
    for (;;) {
      const row = rowOf(this.#draw(), this.#host.clock.now())
      if (!this.#numbers.has(row.number)) return row
    }
  }

  /** One of another node, while it has a session there */
  async elsewhere(local: string): Promise<AccountRow | undefined> {
    const { server, domain, clock } = this.#host
    if (!isGuest(local) || server.members.all().length <= 1) return undefined
    const places = await server.directory.lookup(Jid.of(local, domain).text)
    return places.some(({ node }) => node !== server.node) ? rowOf(local, clock.now()) : undefined
  }

  /** A session or a stream of this account ended; where it was the last, the guest is gone. */
  async left(jid: Jid): Promise<void> {
    const guest = this.find(jid.local)
    if (!guest || this.#host.sessions.of(jid).length > 0) return
    this.#guests.delete(jid.local)
    // Whoever got the number before everything is forgotten would lose what is theirs.
    await this.#forget(jid, guest.number).finally(() => this.#numbers.delete(guest.number))
  }

  async #forget(jid: Jid, number: number): Promise<void> {
    await this.#host.events.emit('account:removed', { account: jid, number })
    await this.#trying('message log', async () => {
      while (await this.#host.messages.clear(number));
    })
    const account = { number, jid, disabled: true }
    for (const { owner, offer } of this.#host.offered('account')) {
      await this.#trying(owner, async () => {
        const forget = (trx: Knex.Transaction) => offer.forget(account, trx)
        const after = await this.#host.database.transaction(forget)
        after?.()
      })
    }
  }

  async #trying(owner: string, forget: () => Promise<void>): Promise<void> {
    try {
      await forget()
    } catch (error) {
      this.#host.failed(`${owner}: forgetting a guest`, error)
    }
  }
}

/** As `randomUUID` makes them: nobody chooses such a name by chance. */
export function isGuest(local: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(local)
}

function rowOf(local: string, created: number): AccountRow {
  const number = -1 - (Number.parseInt(local.slice(0, 8), 16) >>> 1)
  return { number, local, disabled: false, created }
}
