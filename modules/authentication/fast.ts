// FAST (XEP-0484): a client that logged in once gets a token for the next times. Tokens are replaced
// while they are used, end with the password, and are good for one mechanism and one installation of
// a client. TLS early data is not taken, so counting is only the client's wish.

import type { Host } from '../../lib/core/host.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { bindingsOf } from './channel-binding.js'
import type { TokenRow, TokenStore } from './fast-store.js'
import { hashedToken, tokenMechanisms, type TokenLogin } from './hashed-token.js'
import { asked, type LoginRequest } from './inline.js'
import type { Mechanism } from './mechanism.js'
import type { UserAgent } from './user-agent.js'

export const NS_FAST = 'urn:xmpp:fast:0'

/** A token that was given out longer ago is replaced when it is used. */
const ROTATE_AFTER = 24 * 3600_000
const SEED_BYTES = 16

export class Fast {
  readonly tokens: TokenStore
  readonly #host: Host
  readonly #lifetime: number

  constructor(host: Host, tokens: TokenStore, lifetime: number) {
    this.#host = host
    this.tokens = tokens
    this.#lifetime = lifetime
  }

  advertise(stream: NegotiatingStream): Element {
    const mechanisms = this.#names(stream).map((name) => xml('mechanism', {}, name))
    return xml('fast', NS_FAST, ...mechanisms)
  }

  #names(stream: NegotiatingStream): string[] {
    const bindings = bindingsOf(stream.tls)
    const names = [...tokenMechanisms]
    return names.filter(([, type]) => !type || bindings.has(type)).map(([name]) => name)
  }

  /** Undefined where this is no login with a token, or not one that was offered (SEC-23). */
  mechanism(
    name: string,
    request: { element: Element; stream: NegotiatingStream; userAgent: UserAgent },
  ): { mechanism: Mechanism; login: TokenLogin } | undefined {
    const fast = request.element.getChild('fast', NS_FAST)
    const { id: agent } = request.userAgent
    if (!fast || agent === undefined || !this.#names(request.stream).includes(name))
      return undefined
    const login: TokenLogin = { agent, count: readCount(fast.attrs.count) }
    const surroundings = { tokens: this.tokens, now: () => this.#host.clock.now() }
    return { mechanism: hashedToken(name, login, surroundings), login }
  }

  /** What becomes of the token that was used, and a new one where it is time or was asked for. */
  async conclude(
    request: Omit<LoginRequest, 'elements'> & { element: Element },
    used: TokenRow | undefined,
  ): Promise<Element | undefined> {
    const { element, stream, userAgent, account } = request
    const invalidate = isTrue(element.getChild('fast', NS_FAST)?.attrs.invalidate)
    if (used && invalidate) await this.tokens.invalidate(used)
    else if (used?.slot === 'new') await this.tokens.promote(used)
    const [wish] = asked(element, NS_FAST).filter((child) => child.is('request-token'))
    const wanted: string = wish?.attrs.mechanism ?? ''
    if (userAgent.id === undefined) return undefined
    if (this.#names(stream).includes(wanted))
      return this.#issue(account.number, userAgent.id, wanted)
    const old = used && used.issued + ROTATE_AFTER <= this.#host.clock.now()
    return old && !invalidate
      ? this.#issue(account.number, userAgent.id, used.mechanism)
      : undefined
  }

  async #issue(number: number, agent: string, mechanism: string): Promise<Element> {
    const issued = this.#host.clock.now()
    const expires = issued + this.#lifetime
    const seed = this.#host.random.bytes(SEED_BYTES)
    const row = { number, agent, slot: 'new', mechanism, seed, issued, expires, count: 0 } as const
    await this.tokens.issue(row)
    const expiry = new Date(expires).toISOString()
    return xml('token', { xmlns: NS_FAST, token: this.tokens.tokenOf(row), expiry })
  }
}

function readCount(text: unknown): number | undefined {
  return typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function isTrue(text: unknown): boolean {
  return text === 'true' || text === '1'
}
