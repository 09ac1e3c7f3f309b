// SCRAM (RFC 5802, RFC 7677) with SHA-1, SHA-256 and SHA-512, each with and without channel binding.
// A login costs three HMACs and a few hashes; PBKDF2 is the client's work. Who does not exist is
// taken through the same steps with keys that fit nothing (SEC-22).

import type { Account } from '../../lib/core/module.js'
import type { Credentials } from '../accounts/passwords.js'
import type { HashName } from '../accounts/hashing.js'
import type { ScramKeys } from '../accounts/scram-keys.js'
import { secretsEqual } from '../accounts/secrets-equal.js'
import type { BindingType } from './channel-binding.js'
import { downgradeHash } from './downgrade.js'
import {
  type Circumstances,
  concluded,
  type Exchange,
  type Mechanism,
  preparedName,
  strictUtf8,
} from './mechanism.js'
import {
  challenge,
  type Failure,
  failure,
  type Later,
  type Outcome,
  wrongGuess,
} from './outcome.js'
import { type ClientFirst, readFinal, readFirst } from './scram-messages.js'
import { proves, serverSignature } from './scram-proof.js'

const NONCE_BYTES = 18

export function scram(hash: HashName, plus: boolean): Mechanism {
  return {
    name: `SCRAM-${hash}${plus ? '-PLUS' : ''}`,
    start: (circumstances) => new ScramExchange(circumstances, hash, plus),
  }
}

interface Asked {
  readonly first: ClientFirst
  readonly credentials: Credentials
  readonly keys: ScramKeys
  readonly nonce: string
  readonly serverFirst: string
}

class ScramExchange implements Exchange {
  local: string | undefined
  readonly #circumstances: Circumstances
  readonly #hash: HashName
  readonly #plus: boolean
  #asked: Asked | undefined

  constructor(circumstances: Circumstances, hash: HashName, plus: boolean) {
    this.#circumstances = circumstances
    this.#hash = hash
    this.#plus = plus
  }

  respond(data: Buffer): Later<Outcome> {
    const text = strictUtf8(data)
    if (text === undefined) return failure('malformed-request')
    if (this.#asked) return this.#final(text, this.#asked)
    return this.#first(text)
  }

  #first(text: string): Later<Outcome> {
    const first = readFirst(text)
    if (!first) return failure('malformed-request')
    const refused = this.#refuseBinding(first)
    if (refused) return refused
    const { domain } = this.#circumstances
    this.local = preparedName(first.name, domain)
    if (!this.#circumstances.admits(this.local)) return failure('temporary-auth-failure')
    const credentials = this.#circumstances.credentials(this.local)
    return credentials instanceof Promise
      ? credentials.then((found) => this.#ask(first, found))
      : this.#ask(first, credentials)
  }

  /** RFC 5802 §6; SEC-24 */
  #refuseBinding({ binding }: ClientFirst): Failure | undefined {
    const { offered, bindings } = this.#circumstances
    if (this.#plus !== (binding.flag === 'p')) {
      return failure('malformed-request', 'channel binding belongs to the -PLUS mechanisms')
    }
    if (binding.flag === 'p' && !bindings.has(binding.type as BindingType)) {
      return failure('malformed-request', 'this channel binding is not to be had')
    }
    if (binding.flag === 'y' && offered.mechanisms.some((name) => name.endsWith('-PLUS'))) {
      return failure('not-authorized', 'somebody took the -PLUS mechanisms out of the list')
    }
    return undefined
  }

  #ask(first: ClientFirst, credentials: Credentials): Outcome {
    const { random, offered, takesMore } = this.#circumstances
    const keys = credentials.keys(this.#hash)
    const nonce = first.nonce + random.bytes(NONCE_BYTES).toString('base64')
    const salt = keys.salt.toString('base64')
    const shown = takesMore ? `,h=${downgradeHash(offered, this.#hash)}` : ''
    const serverFirst = `r=${nonce},s=${salt},i=${keys.iterations}${shown}`
    this.#asked = { first, credentials, keys, nonce, serverFirst }
    return challenge(serverFirst)
  }

  #final(text: string, asked: Asked): Later<Outcome> {
    const final = readFinal(text)
    if (!final) return failure('malformed-request')
    const { account } = asked.credentials
    const message = `${asked.first.bare},${asked.serverFirst},${final.withoutProof}`
    // Everything is worked out before anything is decided.
    const nonceFits = secretsEqual(Buffer.from(final.nonce), Buffer.from(asked.nonce))
    const bindingFits = secretsEqual(final.binding, this.#expectedBinding(asked.first))
    const proofFits = proves(final.proof, asked.keys, message)
    if (!nonceFits || !bindingFits || !proofFits || !account) return wrongGuess
    const now = this.#circumstances.credentials(this.local!)
    const conclude = (found: Credentials): Outcome =>
      this.#stillHas(found, { account, keys: asked.keys })
        ? this.#conclude(found.account!, asked, message)
        : failure('not-authorized')
    return now instanceof Promise ? now.then(conclude) : conclude(now)
  }

  /** A password that was changed during the exchange lets nobody in any more (RFC 5802 §3). */
  #stillHas(
    { account, keys }: Credentials,
    proved: { account: Account; keys: ScramKeys },
  ): boolean {
    const { storedKey } = keys(this.#hash)
    return account?.number === proved.account.number && storedKey.equals(proved.keys.storedKey)
  }

  #conclude(account: Account, asked: Asked, message: string): Outcome {
    const signature = serverSignature(asked.keys, message)
    const data = Buffer.from(`v=${signature.toString('base64')}`)
    return concluded(this.#circumstances, account, {
      authzid: asked.first.authzid,
      data,
      proved: asked.keys,
    })
  }

  #expectedBinding({ gs2, binding }: ClientFirst): Buffer {
    const header = Buffer.from(gs2)
    if (binding.flag !== 'p') return header
    return Buffer.concat([header, this.#circumstances.bindings.get(binding.type as BindingType)])
  }
}
