// EXTERNAL with a client certificate (RFC 4422 appendix A, XEP-0178 §2). It is only offered where the
// certificate was verified and names an address of this host.

import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { domainToAscii } from '../../lib/xmpp/idna.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { certificateAddresses } from './certificate-addresses.js'
import {
  type Circumstances,
  concluded,
  type Exchange,
  type Mechanism,
  strictUtf8,
} from './mechanism.js'
import { failure, type Later, type Outcome } from './outcome.js'

export const external: Mechanism = {
  name: 'EXTERNAL',
  start: (circumstances) => new ExternalExchange(circumstances),
}

/** The authority is that of the host named in the TLS handshake: it vouches for no other (SEC-27). */
export function hasOwnAddress({ tls, domain }: NegotiatingStream): boolean {
  if (tls?.serverName?.toLowerCase() !== domainToAscii(domain)) return false
  return ownAddresses(tls.peer, domain).length > 0
}

function ownAddresses(peer: Circumstances['peer'], domain: string): readonly Jid[] {
  if (!peer?.trusted) return []
  return certificateAddresses(peer.certificate).filter((jid) => jid.domain === domain)
}

class ExternalExchange implements Exchange {
  local: string | undefined
  readonly #circumstances: Circumstances

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
  }

  respond(data: Buffer): Later<Outcome> {
    const authzid = strictUtf8(data)
    if (authzid === undefined || authzid.includes('\0')) return failure('malformed-request')
    const { peer, domain } = this.#circumstances
    const own = ownAddresses(peer, domain)
    // XEP-0178 §2: of several addresses the client must say which one.
    const asked = authzid === '' && own.length === 1 ? own[0] : Jid.tryParse(authzid)
    const account = own.find((jid) => jid.equals(asked))
    if (!account) return failure('invalid-authzid')
    this.local = account.local
    if (!this.#circumstances.admits(account.local)) return failure('temporary-auth-failure')
    return this.#find(account.local, authzid)
  }

  async #find(local: string, authzid: string): Promise<Outcome> {
    const account = await this.#circumstances.lookup(local)
    return account
      ? concluded(this.#circumstances, account, { authzid })
      : failure('not-authorized')
  }
}
