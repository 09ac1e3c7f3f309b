// What one step of a login can come to. A failure is an answer, not an error: nothing here throws.

import type { Account } from '../../lib/core/module.js'
import type { ScramKeys } from '../accounts/scram-keys.js'

/** RFC 6120 §6.5; credentials-expired also by XEP-0484 §4.2 */
export type SaslCondition =
  | 'aborted'
  | 'account-disabled'
  | 'credentials-expired'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'not-authorized'
  | 'temporary-auth-failure'

export interface Challenge {
  readonly kind: 'challenge'
  readonly data: Buffer
}

export interface Success {
  readonly kind: 'success'
  readonly account: Account
  /** The last word of the mechanism, where it has one */
  readonly data?: Buffer
  /** How the password was proved, for whoever adds a further form of it (XEP-0480) */
  readonly proved?: ScramKeys
}

export interface Failure {
  readonly kind: 'failure'
  readonly condition: SaslCondition
  readonly text?: string
  /**
   * A password, proof or token was tried and is wrong. A mechanism that could not even begin tells
   * nobody anything and is no guess: a client may try its others, down to the one that works.
   */
  readonly guess?: true
}

export type Outcome = Challenge | Success | Failure
export type Later<T> = T | Promise<T>

export function challenge(data: Buffer | string): Challenge {
  return { kind: 'challenge', data: typeof data === 'string' ? Buffer.from(data) : data }
}

export function failure(condition: SaslCondition, text?: string): Failure {
  return text === undefined ? { kind: 'failure', condition } : { kind: 'failure', condition, text }
}

export const wrongGuess: Failure = { kind: 'failure', condition: 'not-authorized', guess: true }
