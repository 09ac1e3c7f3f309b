// The keys of one host's accounts: read for a login, checked against a password, made for a new one.
// Whoever does not exist has keys too, which fit no password (SEC-22). What was read is kept in a
// bounded cache until somebody changes it, on whatever node.

import { createHmac } from 'node:crypto'
import type { Account } from '../../lib/core/module.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { BoundedCache } from './bounded-cache.js'
import { type HashName, hashing, hashNames } from './hashing.js'
import { packKeys, unpackKeys } from './packed-keys.js'
import { preparePassword } from './password-policy.js'
import { Decoys, SALT_BYTES, type ScramKeys, scramKeys } from './scram-keys.js'
import { secretsEqual } from './secrets-equal.js'
import type { AccountStore } from './store.js'

type Later<T> = T | Promise<T>

/** Of an account, or of a name that nobody has: the two look alike. */
export interface Credentials {
  readonly account: Account | undefined
  keys(hash: HashName): ScramKeys
}

const KEPT = 10_000
const LACKING_KNOWN = 100_000

export class Passwords {
  readonly #host: Host
  readonly #store: AccountStore
  readonly #secret: Buffer
  readonly #decoys: Decoys
  readonly #cache: BoundedCache<Credentials>
  /** Accounts that came from elsewhere without all the keys, and the hashes that they have. */
  readonly #lacking = new Map<string, readonly HashName[]>()
  #changes = 0

  static async open(host: Host, store: AccountStore): Promise<Passwords> {
    const passwords = new Passwords(host, store, await store.secret(host.random.bytes(32)))
    const lacking = await store.lacking(passwords.wantedHashes, LACKING_KNOWN)
    for (const [local, present] of lacking) passwords.#lacking.set(local, present)
    return passwords
  }

  private constructor(host: Host, store: AccountStore, secret: Buffer) {
    this.#host = host
    this.#store = store
    this.#secret = secret
    this.#decoys = new Decoys(this.secretFor('decoys'))
    this.#cache = new BoundedCache(KEPT, () => host.clock.now())
  }

  /** Hashes that every new password of this host is stored with, strongest first. */
  get wantedHashes(): readonly HashName[] {
    return this.#host.settings.scramSha1 ? hashNames : hashNames.filter((name) => name !== 'SHA-1')
  }

  /** What this account can prove: all of them, but for accounts from elsewhere that lack some. */
  hashesOf(local: string): readonly HashName[] {
    const present = this.#lacking.get(local)
    return present ? this.wantedHashes.filter((name) => present.includes(name)) : this.wantedHashes
  }

  /** A secret of this host that all its nodes have; each use has one of its own. */
  secretFor(use: string): Buffer {
    return createHmac('sha256', this.#secret).update(use).digest()
  }

  credentials(local: string): Later<Credentials> {
    return this.#cache.get(local, this.#host.server.changes.believed) ?? this.#read(local)
  }

  async #read(local: string): Promise<Credentials> {
    const changes = this.#changes
    const found = await this.#store.findWithKeys(local)
    // Made for everybody, so that a name without an account takes no longer.
    const keys = this.#decoys.for(local, this.#host.settings.passwordRounds)
    for (const own of found?.keys ?? []) keys.set(own.hash, own)
    const account = found && {
      number: found.account.number,
      jid: Jid.of(local, this.#host.domain),
      disabled: found.account.disabled,
    }
    const packed = packKeys(keys)
    const credentials: Credentials = { account, keys: (hash) => unpackKeys(packed, hash) }
    if (changes === this.#changes) {
      this.#has(local, found?.keys ?? [])
      this.#cache.set(local, credentials)
    }
    return credentials
  }

  /** Costs one PBKDF2, whether there is such an account or not; StanzaError where too many wait. */
  async check(local: string, text: string): Promise<Account | undefined> {
    const password = preparePassword(text)
    const credentials = await this.credentials(local)
    const stored = credentials.keys(this.#strongest(local))
    const salted = await hashing.derive(password ?? '', stored)
    const right = secretsEqual(scramKeys(stored, salted).storedKey, stored.storedKey)
    if (!right || password === undefined || !credentials.account) return undefined
    if (this.#outdated(local, stored)) this.#renew(credentials.account, password, stored)
    return credentials.account
  }

  /** Also a hash that is not wanted any more, where the account has no other. */
  #strongest(local: string): HashName {
    const present = this.#lacking.get(local) ?? hashNames
    return hashNames.find((name) => present.includes(name))!
  }

  #outdated(local: string, stored: ScramKeys): boolean {
    return this.#lacking.has(local) || stored.iterations < this.#host.settings.passwordRounds
  }

  /** Keys as they are made today, now that the password is known; nobody waits for it. */
  #renew(account: Account, password: string, checked: ScramKeys): void {
    const renewed = this.derive(password).then((keys) => this.add(account, checked, keys))
    renewed.catch((error) => {
      if (!(error instanceof StanzaError)) this.#host.failed('accounts', error)
    })
  }

  /** Every key that a prepared password gets. */
  async derive(password: string): Promise<ScramKeys[]> {
    const iterations = this.#host.settings.passwordRounds
    const keys: ScramKeys[] = []
    for (const hash of this.wantedHashes) {
      const derivation = { hash, iterations, salt: this.#host.random.bytes(SALT_BYTES) }
      keys.push(scramKeys(derivation, await hashing.derive(password, derivation)))
    }
    return keys
  }

  /**
   * Further keys of the password that fits `checked`; false where the account has a new password by
   * now, or is gone.
   */
  async add(account: Account, checked: ScramKeys, keys: readonly ScramKeys[]): Promise<boolean> {
    const added = await this.#store.addKeys(account.number, checked, keys)
    const found = await this.#store.findWithKeys(account.jid.local)
    this.changed(account.jid.local, found?.keys ?? [])
    this.#host.changed('accounts', account.jid.local)
    return added
  }

  /** By this node. */
  changed(local: string, keys: readonly ScramKeys[]): void {
    const lacked = this.#lacking.has(local)
    this.forget(local)
    this.#has(local, keys)
    if (lacked || this.#lacking.has(local)) this.#host.changed('keys', local)
  }

  /** By another node: which hashes there are is known before anybody logs in. */
  async changedElsewhere(local: string): Promise<void> {
    this.forget(local)
    await this.credentials(local)
  }

  #has(local: string, keys: readonly ScramKeys[]): void {
    const present = keys.map(({ hash }) => hash)
    const complete = this.wantedHashes.every((name) => present.includes(name))
    if (complete || present.length === 0) this.#lacking.delete(local)
    else if (this.#lacking.size < LACKING_KNOWN) this.#lacking.set(local, present)
  }

  forgetAll(): void {
    this.#changes++
    this.#cache.clear()
  }

  /** What was read of it lately is read again. */
  forget(local: string): void {
    this.#changes++
    this.#cache.delete(local)
  }
}
