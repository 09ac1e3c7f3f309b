// What people do with their own account in-band: look, change the password, cancel it (XEP-0077 §3.2,
// §3.3). Addressed to the host or to nobody, it means the account that asks.

import type { Host } from '../../lib/core/host.js'
import type { IqOffer, IqRequest } from '../../lib/core/module.js'
import { type Element, elements } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountRegistry } from '../accounts/account-registry.js'
import { NS_REGISTER, readWishes, registeredFields } from './fields.js'

export interface OwnAccountOptions {
  readonly least: number
  readonly mayChangePassword: boolean
  readonly mayCancel: boolean
}

export function ownAccount(
  host: Host,
  accounts: AccountRegistry,
  { least, mayChangePassword, mayCancel }: OwnAccountOptions,
): readonly IqOffer[] {
  const get = { get: 'query', xmlns: NS_REGISTER, reads: true, answer: show }
  const set = { set: 'query', xmlns: NS_REGISTER, answer: change }
  return [
    { ...get, to: 'host', allow: 'anyone' },
    { ...get, to: 'account', allow: 'self' },
    { ...set, to: 'host', allow: 'anyone' },
    { ...set, to: 'account', allow: 'self' },
  ]

  function show({ from }: IqRequest): Element {
    if (!isOurs(from)) throw new StanzaError('service-unavailable')
    return registeredFields(from.local)
  }

  function change(request: IqRequest): Promise<undefined> {
    // XEP-0077 §3.2.1
    if (!isOurs(request.from)) throw new StanzaError('registration-required')
    // A guest has no account to change (XEP-0175).
    if (accounts.guests.find(request.from.local)) throw new StanzaError('registration-required')
    return request.element.getChild('remove') ? cancel(request) : setPassword(request)
  }

  function isOurs(from: Jid): boolean {
    return from.domain === host.domain && from.local !== ''
  }

  async function setPassword({ element, from, session }: IqRequest): Promise<undefined> {
    if (!mayChangePassword) throw new StanzaError('not-allowed')
    if (!session?.stream?.secured) throw new StanzaError('not-authorized', 'encryption is required')
    const { username, password } = readWishes(element)
    // XEP-0077 §3.3: an empty password leaves the one there is.
    if (!username || !password)
      throw new StanzaError('bad-request', 'a username and a password are needed')
    if (Jid.tryParse(`${username}@${host.domain}`)?.local !== from.local)
      throw new StanzaError('forbidden', 'only the password of your own account')
    await accounts.setPassword(from.local, password, { least, keep: session })
  }

  // XEP-0077 §3.2: the result first, then the end of all its streams.
  async function cancel({ element, from, afterAnswer }: IqRequest): Promise<undefined> {
    if (elements(element).length > 1) throw new StanzaError('bad-request', 'remove stands alone')
    if (!mayCancel) throw new StanzaError('not-allowed')
    const finish = await accounts.beginRemoval(from.local)
    const failed = (error: unknown) => host.failed('registration', error)
    afterAnswer(() => void host.server.pending(finish().catch(failed)))
  }
}
