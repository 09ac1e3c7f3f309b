// Registration before login (XEP-0077 §3.1, XEP-0445): what a stream of nobody may ask. Each step
// refuses by itself what the host does not offer: closed, in clear, without an invitation, too often.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { EarlyRequests, NegotiatingStream } from '../../lib/streams/negotiation.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import type { AccountRegistry } from '../accounts/account-registry.js'
import type { Within } from '../accounts/store.js'
import { formWithToken, NS_REGISTER, plainFields, readWishes } from './fields.js'
import type { Invitation } from './invitation-store.js'
import type { Invitations } from './invitations.js'
import type { RegistrationLimits } from './registration-limits.js'

export const NS_PREAUTH = 'urn:xmpp:pars:0'

const MOST_TOKEN = 256

const invited = Symbol('invitation of this stream')
const registered = Symbol('this stream has registered')

export interface SignUpParts {
  readonly accounts: AccountRegistry
  readonly invitations: Invitations
  readonly limits: RegistrationLimits
  /** Fewest characters of a password */
  readonly least: number
  /** Somebody came by an invitation. */
  welcome(invitation: Invitation, account: Account): Promise<void>
}

export class SignUp implements EarlyRequests {
  readonly accepts = [`{${NS_REGISTER}}query`, `{${NS_PREAUTH}}preauth`]
  readonly #host: Host
  readonly #parts: SignUpParts

  constructor(host: Host, parts: SignUpParts) {
    this.#host = host
    this.#parts = parts
  }

  isOffered(stream: NegotiatingStream): boolean {
    return !stream.account && stream.secured && this.#host.settings.registration !== 'closed'
  }

  answer(stanza: Stanza, stream: NegotiatingStream): Element | Promise<undefined> {
    this.#checkOffered(stream)
    const preauth = stanza.child('preauth', NS_PREAUTH)
    if (preauth) return this.#preauth(preauth, stream)
    if (stanza.type === 'get') return this.#fields(stream)
    return this.#register(stanza.child('query', NS_REGISTER)!, stream)
  }

  #checkOffered(stream: NegotiatingStream): void {
    // XEP-0077 §3.1
    if (this.#host.settings.registration === 'closed') throw new StanzaError('service-unavailable')
    // SEC-12: a password sent in clear is refused even though it is too late for that one.
    if (!stream.secured) throw new StanzaError('not-authorized', 'encryption is required first')
  }

  #fields(stream: NegotiatingStream): Element {
    const invitation = invitationOf(stream)
    if (this.#host.settings.registration === 'invite' && !invitation) return formWithToken()
    return plainFields(invitation?.local ?? undefined)
  }

  // XEP-0445 §4: here alone its expiry counts; it is used up only when the account is there.
  async #preauth(preauth: Element, stream: NegotiatingStream): Promise<undefined> {
    const invitation = await this.#look(preauth.attrs.token ?? '', stream)
    stream.memo.set(invited, invitation)
  }

  async #look(token: string, stream: NegotiatingStream): Promise<Invitation> {
    this.#parts.limits.attempt(stream.remoteAddress)
    const found = token.length > MOST_TOKEN ? undefined : await this.#parts.invitations.find(token)
    if (!found) throw new StanzaError('item-not-found', 'this token is invalid or expired')
    return found
  }

  async #register(query: Element, stream: NegotiatingStream): Promise<undefined> {
    // XEP-0077 §3.2.1: who is not registered has nothing to cancel.
    if (query.getChild('remove')) throw new StanzaError('unexpected-request')
    if (stream.memo.has(registered))
      throw new StanzaError('not-acceptable', 'this connection has registered already')
    const { username, password, token } = readWishes(query)
    if (!username || !password)
      throw new StanzaError('not-acceptable', 'a username and a password are needed')
    const invitation = token ? await this.#look(token, stream) : invitationOf(stream)
    this.#checkInvitation(invitation, username)
    const account = await this.#create({ username, password, invitation }, stream)
    stream.memo.set(registered, true)
    if (invitation) await this.#parts.welcome(invitation, account)
  }

  #checkInvitation(invitation: Invitation | undefined, username: string): void {
    if (!invitation && this.#host.settings.registration === 'invite')
      throw new StanzaError('forbidden', 'registration is by invitation only')
    if (!invitation?.local) return
    const { local } = Jid.tryParse(`${username}@${this.#host.domain}`) ?? {}
    if (local !== invitation.local)
      throw new StanzaError('not-acceptable', `this invitation is for ${invitation.local}`)
  }

  #create(wishes: Chosen, stream: NegotiatingStream): Promise<Account> {
    const { accounts, limits, least } = this.#parts
    const { username, password, invitation } = wishes
    const within = this.#within(invitation)
    limits.attempt(stream.remoteAddress)
    const create = () => accounts.create(username, { password, least, within })
    return invitation ? create() : limits.within(stream.remoteAddress, create)
  }

  /** In the transaction of the account: no use of an invitation counts for two accounts, or for none. */
  #within(invitation: Invitation | undefined): Within {
    const { store } = this.#parts.invitations
    return async (trx, { local }) => {
      const reserved = { local, now: this.#host.clock.now(), except: invitation?.id }
      if (await store.isReserved(trx, reserved))
        throw new StanzaError('conflict', 'this name is kept for somebody')
      if (invitation && !(await store.take(trx, invitation.id)))
        throw new StanzaError('forbidden', 'this invitation was used already')
    }
  }
}

interface Chosen {
  readonly username: string
  readonly password: string
  readonly invitation: Invitation | undefined
}

function invitationOf(stream: NegotiatingStream): Invitation | undefined {
  return stream.memo.get(invited) as Invitation | undefined
}
