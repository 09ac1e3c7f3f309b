// PLAIN (RFC 4616): the password itself, so only where nobody listens. Checking it costs a PBKDF2 in
// a bounded queue (SEC-25).

import { StanzaError } from '../../lib/xmpp/errors.js'
import {
  type Circumstances,
  concluded,
  type Exchange,
  type Mechanism,
  preparedName,
  strictUtf8,
} from './mechanism.js'
import { failure, type Later, type Outcome, wrongGuess } from './outcome.js'

export const plain: Mechanism = {
  name: 'PLAIN',
  start: (circumstances) => new PlainExchange(circumstances),
}

class PlainExchange implements Exchange {
  local: string | undefined
  readonly #circumstances: Circumstances

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
  }

  respond(data: Buffer): Later<Outcome> {
    const parts = strictUtf8(data)?.split('\0')
    const [authzid, name, password] = parts ?? []
    if (parts?.length !== 3 || authzid === undefined || !name || !password) {
      return failure('malformed-request')
    }
    this.local = preparedName(name, this.#circumstances.domain)
    if (!this.#circumstances.admits(this.local)) return failure('temporary-auth-failure')
    return this.#check(this.local, password, authzid)
  }

  async #check(local: string, password: string, authzid: string): Promise<Outcome> {
    try {
      const account = await this.#circumstances.checkPassword(local, password)
      return account ? concluded(this.#circumstances, account, { authzid }) : wrongGuess
    } catch (error) {
      if (error instanceof StanzaError) return failure('temporary-auth-failure')
      throw error
    }
  }
}
