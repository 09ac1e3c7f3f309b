// The accounts of one host: looked up, created, disabled, removed. Names are kept in a bounded cache;
// on a cluster another node may change an account, so there a name is believed for seconds only.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { Session } from '../../lib/core/session.js'
import { skeleton } from '../../lib/xmpp/confusables.js'
import { StanzaError, StreamError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { BoundedCache } from './bounded-cache.js'
import type { Guests } from './guests.js'
import { newPassword } from './password-policy.js'
import type { Passwords } from './passwords.js'
import type { Removals } from './removal.js'
import type { ScramKeys } from './scram-keys.js'
import type { AccountRow, AccountStore, Refusal, Within } from './store.js'

type Later<T> = T | Promise<T>

export interface AccountDetails extends Account {
  /** Milliseconds since 1970 */
  readonly created: number
}

export interface NewAccount {
  readonly password?: string
  /** Fewest characters of the password */
  readonly least?: number
  /** Instead of a password: keys from elsewhere */
  readonly keys?: readonly ScramKeys[]
  /** An administrator wants this name although it was removed once or looks like another. */
  readonly force?: boolean
  /** Belongs to the account's creation: in its transaction; refuses it by throwing. */
  readonly within?: Within
}

export interface AccountPage {
  /** The number of the last account of the page before */
  readonly after?: number
  readonly limit?: number
  readonly disabled?: boolean
}

const KEPT = 50_000
/** How long a name is believed: on a cluster, and while this node is alone (it may not stay so). */
const CLUSTER_LIFE = 10_000
const LIFE = 60_000
const MOST_IN_PAGE = 1000

const refusals: Record<Refusal, string> = {
  taken: 'this account exists already',
  removed: 'an account of this name was removed, and its name is not given again',
  alike: 'this name looks like the name of another account',
}

export class AccountRegistry {
  readonly passwords: Passwords
  readonly guests: Guests
  readonly #host: Host
  readonly #store: AccountStore
  readonly #removals: Removals
  readonly #cache: BoundedCache<AccountRow | null>
  #changes = 0

  constructor(
    host: Host,
    parts: { store: AccountStore; passwords: Passwords; guests: Guests; removals: Removals },
  ) {
    this.#host = host
    this.#store = parts.store
    this.passwords = parts.passwords
    this.guests = parts.guests
    this.#removals = parts.removals
    this.#cache = new BoundedCache(KEPT, () => host.clock.now())
  }

  /** `local` is prepared, as it is in every Jid. */
  lookup(local: string): Later<AccountDetails | undefined> {
    const known = this.guests.find(local) ?? this.#cache.get(local)
    return known === undefined ? this.#read(local) : this.#details(known)
  }

  async #read(local: string): Promise<AccountDetails | undefined> {
    const changes = this.#changes
    const found = await this.#store.find(local)
    const shared = this.#host.server.bus.nodes().length > 1
    if (changes === this.#changes) {
      if (!shared) this.#cache.set(local, found ?? null, LIFE)
      else if (found) this.#cache.set(local, found, CLUSTER_LIFE)
    }
    return this.#details(found)
  }

  #details(row: AccountRow | null | undefined): AccountDetails | undefined {
    if (!row) return undefined
    const { number, local, disabled, created } = row
    return { number, disabled, created, jid: Jid.of(local, this.#host.domain) }
  }

  async list({ after = 0, limit = 100, disabled }: AccountPage = {}): Promise<AccountDetails[]> {
    const page = { after, limit: Math.min(limit, MOST_IN_PAGE), disabled }
    return (await this.#store.list(page)).map((row) => this.#details(row)!)
  }

  count(disabled?: boolean): Promise<number> {
    return this.#store.count(disabled)
  }

  /** Refuses with `conflict` a name that is taken, was taken once (SEC-28), or looks like another. */
  async create(name: string, wanted: NewAccount = {}): Promise<Account> {
    const jid = this.#address(name)
    const { local } = jid
    const keys = wanted.keys ?? (await this.#keysFor(wanted))
    const row = { local, skeleton: skeleton(local), created: this.#host.clock.now(), keys }
    const made = await this.#store.create(row, wanted)
    if (typeof made === 'string') throw new StanzaError('conflict', refusals[made])
    this.#forget(local)
    this.passwords.changed(local, keys)
    await this.#host.events.emit('account:created', { account: jid, number: made })
    return { number: made, jid, disabled: false }
  }

  async #keysFor({ password, least }: NewAccount): Promise<ScramKeys[]> {
    return password === undefined ? [] : this.passwords.derive(newPassword(password, least))
  }

  #address(name: string): Jid {
    const jid = Jid.tryParse(`${name}@${this.#host.domain}`)
    if (!jid?.isBare || jid.local === '' || jid.domain !== this.#host.domain) {
      throw new StanzaError('jid-malformed', 'this cannot be the name of an account')
    }
    return jid
  }

  /** Tokens and other sessions hear of it by an event; `keep` is the session that asked. */
  async setPassword(
    local: string,
    text: string,
    { least = 1, keep }: { least?: number; keep?: Session } = {},
  ): Promise<void> {
    const { jid, number } = await this.existing(local)
    const keys = await this.passwords.derive(newPassword(text, least))
    await this.#store.replaceKeys(number, keys)
    this.passwords.changed(local, keys)
    await this.#host.events.emit('account:password-changed', { account: jid, number, keep })
  }

  /** Nobody logs in as it any more and its sessions end; what it has is kept. */
  async disable(local: string): Promise<void> {
    const { jid, number } = await this.existing(local)
    await this.#store.disable(number, true)
    this.#forget(local)
    await this.#host.events.emit('account:disabled', { account: jid, number })
    this.#closeSessions(jid, 'this account is disabled')
  }

  async enable(local: string): Promise<void> {
    const { number } = await this.existing(local)
    await this.#store.disable(number, false)
    this.#forget(local)
  }

  /** Its name is never given again; what modules keep of it goes now, or after the next start. */
  async remove(local: string): Promise<void> {
    const finish = await this.beginRemoval(local)
    await finish()
  }

  /** The account is gone; the rest, the end of its sessions first, is what is returned. */
  async beginRemoval(local: string): Promise<() => Promise<void>> {
    const account = await this.existing(local)
    await this.#removals.begin(account)
    this.#forget(local)
    this.passwords.changed(local, [])
    return () => this.#finishRemoval(account)
  }

  async #finishRemoval(account: Account): Promise<void> {
    // XEP-0077 §3.2: the sessions of an account that is gone end so.
    this.#closeSessions(account.jid, 'this account was removed')
    const { jid, number } = account
    await this.#host.events.emit('account:removed', { account: jid, number })
    await this.#removals.finish(account)
  }

  async existing(local: string): Promise<AccountDetails> {
    const account = await this.lookup(local)
    if (!account) throw new StanzaError('item-not-found', 'there is no such account')
    return account
  }

  #closeSessions(jid: Jid, why: string): void {
    for (const session of this.#host.sessions.of(jid)) {
      session.close(new StreamError('not-authorized', why))
    }
  }

  #forget(local: string): void {
    this.#changes++
    this.#cache.delete(local)
    this.passwords.forget(local)
  }
}
