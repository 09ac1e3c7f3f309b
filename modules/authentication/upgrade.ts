// Upgrade tasks (XEP-0480): an account that came from elsewhere without SCRAM-SHA-256 or SCRAM-SHA-512
// keys gets them when its owner logs in. The client works out the salted password, so the server
// still does not see the password.

import { type Element, xml } from '../../lib/xmpp/element.js'
import type { Random } from '../../lib/ops/random.js'
import type { Derivation, HashName } from '../accounts/hashing.js'
import { hashes } from '../accounts/hashing.js'
import type { Passwords } from '../accounts/passwords.js'
import { SALT_BYTES, scramKeys } from '../accounts/scram-keys.js'
import { type Failure, failure, type Success } from './outcome.js'
import { decode64 } from './scram-messages.js'

export const NS_UPGRADE = 'urn:xmpp:sasl:upgrade:0'
export const NS_SCRAM_UPGRADE = 'urn:xmpp:scram-upgrade:0'

const PREFIX = 'UPGR-SCRAM-'

/** SHA-1 is nothing to upgrade to. */
const upgradable: readonly HashName[] = ['SHA-512', 'SHA-256']

export function upgradesFor(passwords: Passwords, local: string): string[] {
  const present = passwords.hashesOf(local)
  return upgradable.filter((hash) => !present.includes(hash)).map((hash) => PREFIX + hash)
}

/** One task of one login. */
export class Upgrade {
  readonly task: string
  readonly #hash: HashName
  readonly #derivation: Derivation

  constructor(task: string, surroundings: { random: Random; iterations: number }) {
    this.task = task
    this.#hash = task.slice(PREFIX.length) as HashName
    const salt = surroundings.random.bytes(SALT_BYTES)
    this.#derivation = { hash: this.#hash, iterations: surroundings.iterations, salt }
  }

  /** XEP-0480 §4 */
  question(): Element {
    const { iterations, salt } = this.#derivation
    const attributes = { xmlns: NS_SCRAM_UPGRADE, iterations: String(iterations) }
    return xml('salt', attributes, salt.toString('base64'))
  }

  /** Why it cannot be: the answer is none, or the account has another password by now. */
  async complete(
    answer: Element,
    { account, proved }: Success,
    passwords: Passwords,
  ): Promise<Failure | undefined> {
    const salted = decode64(answer.getChildText('hash', NS_SCRAM_UPGRADE)?.trim() ?? '')
    if (!proved || salted?.length !== hashes[this.#hash].bytes) return failure('malformed-request')
    const added = await passwords.add(account, proved, [scramKeys(this.#derivation, salted)])
    return added ? undefined : failure('not-authorized')
  }
}
