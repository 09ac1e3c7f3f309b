// One login, whatever the profile: what is offered to a stream, one exchange at a time, counting
// failures. SASL (sasl.ts) and SASL2 (sasl2.ts) put it into XML.

import type { Host } from '../../lib/core/host.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountsApi } from '../accounts/accounts.js'
import { bindingsOf } from './channel-binding.js'
import { external, hasOwnAddress } from './external.js'
import type { Circumstances, Exchange, Mechanism, Offer } from './mechanism.js'
import { type Failure, failure, type Later, type Outcome } from './outcome.js'
import { plain } from './plain.js'
import { scram } from './scram.js'
import { SLOW_DELAY, type Throttle } from './throttle.js'

export interface Attempt {
  readonly profile: 'sasl' | 'sasl2'
  readonly mechanism: Mechanism
  readonly exchange: Exchange
  /** The stream ended, or another attempt took its place. */
  over: boolean
}

const attemptKey = Symbol('login attempt')

export interface LoginParts {
  readonly host: Host
  readonly accounts: AccountsApi
  /** Undefined where limits are off */
  readonly throttle: Throttle | undefined
  readonly plain: boolean
  /** ANONYMOUS, where guests are welcome */
  readonly anonymous: Mechanism | undefined
}

export class Logins {
  readonly host: Host
  readonly accounts: AccountsApi
  readonly #parts: LoginParts
  readonly #offers = new Map<string, Offer>()
  readonly #mechanisms = new Map<string, Mechanism>()

  constructor(parts: LoginParts) {
    this.host = parts.host
    this.accounts = parts.accounts
    this.#parts = parts
    const names = ['SHA-512', 'SHA-256', 'SHA-1'] as const
    const all = [external, ...names.map((name) => scram(name, true))]
    all.push(...names.map((name) => scram(name, false)), plain)
    if (parts.anonymous) all.push(parts.anonymous)
    for (const mechanism of all) this.#mechanisms.set(mechanism.name, mechanism)
  }

  /** Strongest first. The same for everybody, but for what `from` of the stream header says. */
  offer(stream: NegotiatingStream): Offer {
    const bindings = bindingsOf(stream.tls).types
    const hashes = this.accounts.passwords.hashesOf(this.claimed(stream)?.local ?? '')
    const scrams = hashes.map((hash) => `SCRAM-${hash}`)
    const mechanisms = [
      ...(hasOwnAddress(stream) ? ['EXTERNAL'] : []),
      ...(bindings.length > 0 ? scrams.map((name) => `${name}-PLUS`) : []),
      ...scrams,
      ...(this.#parts.plain ? ['PLAIN'] : []),
      ...(this.#parts.anonymous ? ['ANONYMOUS'] : []),
    ]
    return this.#once({ mechanisms, bindings })
  }

  /** There are few different offers: each is one object, to which its hash is known. */
  #once(offer: Offer): Offer {
    const key = `${offer.mechanisms.join(' ')}/${offer.bindings.join(' ')}`
    const found = this.#offers.get(key)
    if (!found) this.#offers.set(key, offer)
    return found ?? offer
  }

  /** The account that the stream header names, where it is one of this host. */
  claimed(stream: NegotiatingStream): Jid | undefined {
    const jid = Jid.tryParse(stream.claimed)?.bare
    return jid?.domain === this.host.domain && jid.local !== '' ? jid : undefined
  }

  attempt(stream: NegotiatingStream): Attempt | undefined {
    return stream.memo.get(attemptKey) as Attempt | undefined
  }

  /** SEC-23: only what this stream was offered. */
  begin(
    stream: NegotiatingStream,
    wanted: { name: string | undefined; profile: Attempt['profile']; offered: Offer },
  ): Attempt | Failure {
    const { name = '', profile, offered } = wanted
    const mechanism = offered.mechanisms.includes(name) ? this.#mechanisms.get(name) : undefined
    if (!mechanism) return failure('invalid-mechanism')
    return this.take(stream, { mechanism, profile, offered })
  }

  /** Begins with a mechanism that is offered in another way (XEP-0484). */
  take(
    stream: NegotiatingStream,
    wanted: { mechanism: Mechanism; profile: Attempt['profile']; offered: Offer },
  ): Attempt | Failure {
    if (this.#parts.throttle?.verdict(stream.remoteAddress) === 'refused') {
      return failure('temporary-auth-failure', 'too many failed logins from this address')
    }
    const { mechanism, profile } = wanted
    const exchange = mechanism.start(this.#circumstances(stream, wanted))
    const attempt: Attempt = { mechanism, profile, exchange, over: false }
    stream.memo.set(attemptKey, attempt)
    return attempt
  }

  /** The stream ended; a guest that bound nothing is gone with it. */
  closed(stream: NegotiatingStream): void {
    this.end(stream)
    const { account } = stream
    if (!account || !this.accounts.guests.find(account.local)) return
    const left = this.accounts.guests.left(account)
    left.catch((error) => this.host.failed('guests', error))
  }

  end(stream: NegotiatingStream): void {
    const attempt = this.attempt(stream)
    if (attempt) attempt.over = true
    stream.memo.delete(attemptKey)
  }

  /** One step. An outcome that ends the attempt is counted, and may have to wait. */
  step(stream: NegotiatingStream, attempt: Attempt, data: Buffer): Later<Outcome> {
    const outcome = this.#respond(attempt, data)
    return outcome instanceof Promise
      ? outcome.then((found) => this.#settle(stream, attempt, found))
      : this.#settle(stream, attempt, outcome)
  }

  #respond(attempt: Attempt, data: Buffer): Later<Outcome> {
    const outcome = attempt.exchange.respond(data)
    if (!(outcome instanceof Promise)) return outcome
    return outcome.catch((error) => {
      this.host.failed(`login by ${attempt.mechanism.name}`, error)
      return failure('temporary-auth-failure')
    })
  }

  #settle(stream: NegotiatingStream, attempt: Attempt, outcome: Outcome): Later<Outcome> {
    if (outcome.kind === 'challenge') return outcome
    const { throttle } = this.#parts
    const slow = throttle?.verdict(stream.remoteAddress) === 'slow'
    if (throttle) this.#count(throttle, stream.remoteAddress, { attempt, outcome })
    if (!slow) return outcome
    return new Promise((resolve) => this.host.clock.after(SLOW_DELAY, () => resolve(outcome)))
  }

  #count(
    throttle: Throttle,
    address: string,
    { attempt, outcome }: { attempt: Attempt; outcome: Outcome },
  ): void {
    const { local } = attempt.exchange
    if (outcome.kind === 'success') throttle.succeeded(address, outcome.account.jid.local)
    else if (outcome.kind === 'failure' && outcome.guess) {
      throttle.failed(address, local)
      this.host.log.info('login failed', { address, account: local, why: outcome.condition })
    }
  }

  #circumstances(
    stream: NegotiatingStream,
    { offered, profile }: { offered: Offer; profile: Attempt['profile'] },
  ): Circumstances {
    const { accounts, host } = this
    const { throttle } = this.#parts
    return {
      domain: host.domain,
      random: host.random,
      offered,
      // The strophe.js of Converse.js 10 refuses them; XEP-0474 is what it goes without.
      takesMore: profile === 'sasl2' || stream.framing === 'stream',
      bindings: bindingsOf(stream.tls),
      peer: stream.tls?.peer,
      claimed: profile === 'sasl2' ? Jid.tryParse(stream.claimed)?.bare : undefined,
      admits: (local) => throttle?.admits(stream.remoteAddress, local) ?? true,
      credentials: (local) => accounts.passwords.credentials(local),
      checkPassword: (local, password) => accounts.passwords.check(local, password),
      lookup: (local) => accounts.lookup(local),
    }
  }
}
