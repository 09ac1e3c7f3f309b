// Invitations of one host (XEP-0401): made, looked up by their token, used up. A token has 128 bits
// and is shown once, to whoever made it.

import { createHash } from 'node:crypto'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { AccountRegistry } from '../accounts/account-registry.js'
import { type Invitation, InvitationStore } from './invitation-store.js'

const TOKEN_BYTES = 16
/** A stream that was let in may still use what has expired since; it lasts no longer than this. */
const GRACE = 60 * 60_000

export interface Wanted {
  /** Undefined for the command line of the machine */
  readonly by: Jid | undefined
  readonly uses: number
  /** Milliseconds; Infinity for ever */
  readonly life: number
  /** Prepared */
  readonly local?: string | undefined
  readonly contact: boolean
  /** LIM-invitations: open ones of the same account */
  readonly most: number
}

export interface Made {
  readonly id: number
  readonly token: string
  readonly expires: number | null
}

export class Invitations {
  readonly store: InvitationStore
  readonly #host: Host
  readonly #accounts: AccountRegistry

  constructor(host: Host, accounts: AccountRegistry) {
    this.#host = host
    this.#accounts = accounts
    this.store = new InvitationStore(host.database, host.domain)
  }

  async make(wanted: Wanted): Promise<Made> {
    const { by, uses, life, local, contact, most } = wanted
    if (by && this.#accounts.guests.find(by.local)) throw new StanzaError('forbidden')
    const inviter = by?.domain === this.#host.domain ? await this.#accounts.lookup(by.local) : null
    if (contact && !inviter)
      throw new StanzaError('bad-request', 'who invites has no account here to be a contact')
    if (local !== undefined) await this.#checkFree(local)
    const created = this.#host.clock.now()
    const expires = Number.isFinite(life) ? created + life : null
    const token = this.#host.random.bytes(TOKEN_BYTES).toString('hex')
    const who = { inviter: inviter?.number ?? null, madeBy: by?.bare.text ?? '' }
    const what = { local: local ?? null, contact, uses, created, expires, hash: hashOf(token) }
    const id = await this.store.add({ ...who, ...what }, most)
    if (id === undefined)
      throw new StanzaError('resource-constraint', `at most ${most} open invitations are allowed`)
    return { id, token, expires }
  }

  async #checkFree(local: string): Promise<void> {
    const taken = await this.#accounts.lookup(local)
    const reserved = { local, now: this.#host.clock.now() }
    if (taken || (await this.store.isReserved(this.#host.database.knex, reserved)))
      throw new StanzaError('conflict', `the name ${local} is taken`)
  }

  find(token: string): Promise<Invitation | undefined> {
    return this.store.find(hashOf(token), this.#host.clock.now())
  }

  list(): Promise<Invitation[]> {
    return this.store.list(this.#host.clock.now())
  }

  removeExpired(): Promise<void> {
    return this.store.removeExpired(this.#host.clock.now() - GRACE)
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
