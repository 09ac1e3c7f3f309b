// Whoever reads that we or their own account held a message back takes the time in it for ours: such
// marks are made by us alone, and after this (XEP-0203 §5). What others say of themselves stays.

import { attribute } from '../../lib/xmpp/message-references.js'
import { NS_DELAY } from '../../lib/xmpp/delay.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'

/** `ours` says whether a domain is one of this server's; `account` is whose side it is. */
export function withoutForgedDelays(
  envelope: Envelope,
  account: Jid,
  ours: (domain: string) => boolean,
): Envelope | undefined {
  const { stanza, from } = envelope
  if (!stanza.hasNamespace(NS_DELAY)) return undefined
  const honest = stanza.without((child) => {
    if (child.name !== 'delay' || child.xmlns !== NS_DELAY) return false
    const by = Jid.tryParse(attribute(stanza, child, 'from')?.trim())
    if (!by) return false
    // What it kept back itself an account may say.
    if (by.bare.equals(account)) return !from.bare.equals(account)
    return by.local === '' && ours(by.domain)
  })
  return honest === stanza ? undefined : envelope.with({ stanza: honest })
}
