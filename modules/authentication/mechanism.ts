// A mechanism is a name, a condition under which it is to be had, and an exchange: a state machine
// that takes what the client says and gives an outcome. It knows no XML and no stream; what it may
// know of the connection is its Circumstances.

import { createHash } from 'node:crypto'
import type { Account } from '../../lib/core/module.js'
import type { TlsFacts } from '../../lib/net/transport.js'
import type { Random } from '../../lib/ops/random.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Credentials } from '../accounts/passwords.js'
import type { ScramKeys } from '../accounts/scram-keys.js'
import type { BindingType, Bindings } from './channel-binding.js'
import { failure, type Failure, type Later, type Outcome, type Success } from './outcome.js'

export interface Circumstances {
  readonly domain: string
  readonly random: Random
  /** What was advertised to this client, in the profile that it uses. */
  readonly offered: Offer
  /** Whether the client may be told more than it must know: optional attributes of SCRAM (RFC 5802 §7) */
  readonly takesMore: boolean
  readonly bindings: Bindings
  readonly peer: TlsFacts['peer']
  /** SASL2: the bare address in `from` of the stream header */
  readonly claimed: Jid | undefined
  /** Whether this address may try this name now; asked before anything is checked. */
  admits(local: string): boolean
  credentials(local: string): Later<Credentials>
  /** Costs a PBKDF2; StanzaError where too many are waiting. */
  checkPassword(local: string, password: string): Promise<Account | undefined>
  lookup(local: string): Later<Account | undefined>
}

export interface Offer {
  /** Strongest first */
  readonly mechanisms: readonly string[]
  /** Empty where no channel binding was advertised (XEP-0440) */
  readonly bindings: readonly BindingType[]
}

export interface Exchange {
  /** Whose login this is, as soon as the client said so: for counting failures. */
  readonly local: string | undefined
  respond(data: Buffer): Later<Outcome>
}

export interface Mechanism {
  readonly name: string
  /** What a client says first may be left out and is then empty (RFC 4505 for ANONYMOUS). */
  readonly mayOmitFirst?: boolean
  start(circumstances: Circumstances): Exchange
}

/** SEC-20: nobody acts for anybody else. Empty, or the account's own bare address. */
export function isOwn(authzid: string, account: Jid): boolean {
  if (authzid === '') return true
  const asked = Jid.tryParse(authzid)
  return asked?.isBare === true && asked.equals(account)
}

/** The last checks, once somebody has proved to be `account`. */
export function concluded(
  { claimed }: Circumstances,
  account: Account,
  more: { authzid?: string; data?: Buffer; proved?: ScramKeys } = {},
): Success | Failure {
  const { authzid = '', data, proved } = more
  if (account.disabled) return failure('account-disabled')
  if (!isOwn(authzid, account.jid)) return failure('invalid-authzid')
  // XEP-0388 §2.3: who says for whom this is must not have said otherwise in the header.
  if (authzid !== '' && claimed && !isOwn(claimed.text, account.jid)) {
    return failure('invalid-authzid')
  }
  return { kind: 'success', account, ...(data && { data }), ...(proved && { proved }) }
}

/** A name as the client wrote it, prepared; one that cannot exist becomes one that nobody can have. */
export function preparedName(name: string, domain: string): string {
  const jid = Jid.tryParse(`${name}@${domain}`)
  if (jid?.isBare && jid.local !== '' && jid.domain === domain) return jid.local
  return ` ${createHash('sha256').update(name).digest('hex')}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function strictUtf8(data: Buffer): string | undefined {
  try {
    return utf8.decode(data)
  } catch {
    return undefined
  }
}
