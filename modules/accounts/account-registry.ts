// The accounts of one host: looked up, created, disabled, removed. Names are kept in a bounded cache
// until somebody changes them, on whatever node.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { Session } from '../../lib/core/session.js'
import { skeleton } from '../../lib/xmpp/confusables.js'
import { StanzaError, StreamError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { BoundedCache } from './bounded-cache.js'
import { type Guests, isGuest } from './guests.js'
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

/** Whose sessions end, on every node, and why */
export interface Ending {
  readonly account: string
  readonly why: string
}

const KEPT = 50_000
/** Accounts of one question */
const TOGETHER = 500
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
  /** Accounts may have ended since their sessions began. */
  #unsure = false

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
    const known =
      this.guests.find(local) ?? this.#cache.get(local, this.#host.server.changes.believed)
    return known === undefined ? this.#read(local) : this.#details(known)
  }

  async #read(local: string): Promise<AccountDetails | undefined> {
    const changes = this.#changes
    const found = await this.#store.find(local)
    const guest = found ? undefined : await this.guests.elsewhere(local)
    if (guest) return this.#details(guest)
    if (changes === this.#changes && (found || !isGuest(local)))
      this.#cache.set(local, found ?? null)
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
    this.passwords.changed(local, keys)
    await this.#changed(local)
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
    await this.#changed(local)
    await this.#host.events.emit('account:password-changed', { account: jid, number, keep })
  }

  /** Nobody logs in as it any more and its sessions end; what it has is kept. */
  async disable(local: string): Promise<void> {
    const { jid, number } = await this.existing(local)
    await this.#store.disable(number, true)
    await this.#changed(local)
    await this.#host.events.emit('account:disabled', { account: jid, number })
    await this.#endSessions(jid, 'this account is disabled')
  }

  async enable(local: string): Promise<void> {
    const { number } = await this.existing(local)
    await this.#store.disable(number, false)
    await this.#changed(local)
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
    this.passwords.changed(local, [])
    await this.#changed(local)
    return () => this.#finishRemoval(account)
  }

  async #finishRemoval(account: Account): Promise<void> {
    // XEP-0077 §3.2: the sessions of an account that is gone end so.
    await this.#endSessions(account.jid, 'this account was removed')
    const { jid, number } = account
    await this.#host.events.emit('account:removed', { account: jid, number })
    await this.#removals.finish(account)
  }

  async existing(local: string): Promise<AccountDetails> {
    const account = await this.lookup(local)
    if (!account) throw new StanzaError('item-not-found', 'there is no such account')
    return account
  }

  /** On all nodes. One that does not answer looks again at what it has when it hears of the others. */
  async #endSessions({ text: account }: Jid, why: string): Promise<void> {
    await this.#host.everywhere('end sessions', { account, why } satisfies Ending)
  }

  /** Those of this node */
  endSessions({ account, why }: Ending): void {
    for (const session of this.#host.sessions.of(Jid.parse(account)))
      session.close(new StreamError('not-authorized', why))
  }

  /** Its account may have been disabled or removed since it logged in, by a node that was not heard. */
  async recheck(session: Session): Promise<void> {
    const account = await this.lookup(session.account.local)
    if (account?.number === session.number && !account.disabled) return
    session.close(ended())
  }

  /** Resolves when no node lets anybody in as it was before. */
  #changed(local: string): Promise<void> {
    this.forget(local)
    return this.#host.changedEverywhere('accounts', local)
  }

  forget(local: string): void {
    this.#changes++
    this.#cache.delete(local)
    this.passwords.forget(local)
  }

  /** Of whatever there is another node may have changed it. */
  forgetAll(): void {
    this.#changes++
    this.#cache.clear()
    this.passwords.forgetAll()
    this.#unsure = true
  }

  /** Again and again: where another node may have ended an account unheard, its sessions end here. */
  async recheckAll(): Promise<void> {
    if (!this.#unsure && this.#host.server.changes.believed === Number.POSITIVE_INFINITY) return
    this.#unsure = false
    try {
      await this.#endTheUnknown()
    } catch (error) {
      this.#unsure = true
      throw error
    }
  }

  async #endTheUnknown(): Promise<void> {
    const sessions = [...this.#host.sessions.all()].filter(({ number }) => number > 0)
    for (let at = 0; at < sessions.length; at += TOGETHER) {
      const some = sessions.slice(at, at + TOGETHER)
      const living = await this.#store.living(some.map(({ number }) => number))
      for (const session of some) if (!living.has(session.number)) session.close(ended())
    }
  }
}

function ended(): StreamError {
  return new StreamError('not-authorized', 'this account has ended')
}
