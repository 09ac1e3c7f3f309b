// LIM-registration: accounts that strangers make without an invitation, 3 within an hour for an
// address and 60 for everybody together; and attempts of whatever kind, 30 within an hour for an
// address, because each costs a look-up or a derivation of keys. Each node counts for itself.

import { StanzaError } from '../../lib/xmpp/errors.js'
import { HourlyLimit } from './hourly-limit.js'

const PER_ADDRESS = 3
const TOGETHER = 60
const ATTEMPTS = 30

const EVERYBODY = 'everybody'

export class RegistrationLimits {
  readonly accounts: HourlyLimit
  readonly together: HourlyLimit
  readonly attempts: HourlyLimit
  readonly #off: () => boolean

  constructor(now: () => number, off: () => boolean) {
    this.accounts = new HourlyLimit(PER_ADDRESS, now)
    this.together = new HourlyLimit(TOGETHER, now)
    this.attempts = new HourlyLimit(ATTEMPTS, now)
    this.#off = off
  }

  attempt(address: string): void {
    if (!this.#off() && !this.attempts.take(address)) throw tooMany()
  }

  /** Counts before it happens, so that none slips through beside; what fails does not count. */
  async within<T>(address: string, create: () => Promise<T>): Promise<T> {
    if (this.#off()) return create()
    if (!this.accounts.take(address)) throw tooMany()
    try {
      return await this.#together(create)
    } catch (error) {
      this.accounts.giveBack(address)
      throw error
    }
  }

  async #together<T>(create: () => Promise<T>): Promise<T> {
    if (!this.together.take(EVERYBODY)) throw tooMany()
    try {
      return await create()
    } catch (error) {
      this.together.giveBack(EVERYBODY)
      throw error
    }
  }
}

/** XEP-0077 §3.1.1 names the condition; that it passes is in its type. */
function tooMany(): StanzaError {
  return new StanzaError('not-acceptable', 'too many registrations: try again later', {
    type: 'wait',
  })
}
