// The HT mechanisms (draft-schmaus-kitten-sasl-ht): one message each way, made with a token from
// XEP-0484 and bound to the connection where it has a channel binding. Who has no account or no token
// is compared with a token that nobody has (SEC-22).

import { createHmac } from 'node:crypto'
import type { Account } from '../../lib/core/module.js'
import { secretsEqual } from '../accounts/secrets-equal.js'
import type { BindingType } from './channel-binding.js'
import type { TokenRow, TokenStore } from './fast-store.js'
import {
  type Circumstances,
  concluded,
  type Exchange,
  type Mechanism,
  preparedName,
  strictUtf8,
} from './mechanism.js'
import { failure, type Later, type Outcome, wrongGuess } from './outcome.js'

/** Strongest first; undefined binds to nothing. */
export const tokenMechanisms: ReadonlyMap<string, BindingType | undefined> = new Map([
  ['HT-SHA-256-EXPR', 'tls-exporter'],
  ['HT-SHA-256-ENDP', 'tls-server-end-point'],
  ['HT-SHA-256-NONE', undefined],
])

/** What <fast/> said beside the mechanism. */
export interface TokenLogin {
  readonly agent: string
  readonly count: number | undefined
  /** The token that fitted */
  used?: TokenRow
}

export function hashedToken(
  name: string,
  login: TokenLogin,
  surroundings: { tokens: TokenStore; now: () => number },
): Mechanism {
  return {
    name,
    start: (circumstances) => new TokenExchange(circumstances, { name, login, ...surroundings }),
  }
}

interface Setting {
  readonly name: string
  readonly login: TokenLogin
  readonly tokens: TokenStore
  now(): number
}

const DECOY = Buffer.alloc(16)

class TokenExchange implements Exchange {
  local: string | undefined
  readonly #circumstances: Circumstances
  readonly #setting: Setting

  constructor(circumstances: Circumstances, setting: Setting) {
    this.#circumstances = circumstances
    this.#setting = setting
  }

  respond(data: Buffer): Later<Outcome> {
    const end = data.indexOf(0)
    const name = end > 0 ? strictUtf8(data.subarray(0, end)) : undefined
    if (name === undefined) return failure('malformed-request')
    this.local = preparedName(name, this.#circumstances.domain)
    if (!this.#circumstances.admits(this.local)) return failure('temporary-auth-failure')
    return this.#check(this.local, data.subarray(end + 1))
  }

  async #check(local: string, hashed: Buffer): Promise<Outcome> {
    const { login, tokens } = this.#setting
    const account = await this.#circumstances.lookup(local)
    const rows = await tokens.find(account?.number ?? 0, login.agent)
    const fitting = this.#fitting(rows, hashed)
    if (!fitting || !account) return wrongGuess
    const refused = await this.#refuse(fitting)
    if (refused) return failure(refused)
    login.used = fitting
    return this.#conclude(account, fitting)
  }

  /** Two comparisons, however many tokens there are. */
  #fitting(rows: readonly TokenRow[], hashed: Buffer): TokenRow | undefined {
    let fitting: TokenRow | undefined
    for (const slot of ['new', 'current'] as const) {
      const row = rows.find((one) => one.slot === slot && one.mechanism === this.#setting.name)
      const expected = this.#hashed('Initiator', row ?? this.#decoy(slot))
      if (secretsEqual(hashed, expected) && row) fitting ??= row
    }
    return fitting
  }

  #decoy(slot: TokenRow['slot']): TokenRow {
    const { name, login } = this.#setting
    const times = { issued: 0, expires: 0, count: 0 }
    return { number: 0, agent: login.agent, slot, mechanism: name, seed: DECOY, ...times }
  }

  async #refuse(row: TokenRow): Promise<'credentials-expired' | 'not-authorized' | undefined> {
    const { login, tokens, now } = this.#setting
    if (row.expires <= now()) return 'credentials-expired'
    if (login.count === undefined) return undefined
    return (await tokens.count(row, login.count)) ? undefined : 'not-authorized'
  }

  #conclude(account: Account, row: TokenRow): Outcome {
    return concluded(this.#circumstances, account, { data: this.#hashed('Responder', row) })
  }

  #hashed(who: 'Initiator' | 'Responder', row: TokenRow): Buffer {
    const { tokens, name } = this.#setting
    const type = tokenMechanisms.get(name)
    const binding = type && this.#circumstances.bindings.get(type)
    const hmac = createHmac('sha256', tokens.tokenOf(row)).update(who)
    return binding ? hmac.update(binding).digest() : hmac.digest()
  }
}
