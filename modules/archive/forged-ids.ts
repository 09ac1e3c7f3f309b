// Ids of our archives are given by us alone: whatever a message brings along under an address of ours is
// taken out before ours is added (SEC-53). Ids of others, of rooms too, stay (XEP-0359 §3).

import { attribute } from '../../lib/xmpp/message-references.js'
import { NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { StanzaChild } from '../../lib/xmpp/stanza.js'

/** `ours` says whether a domain is one whose accounts have archives here. */
export function withoutForgedIds(
  envelope: Envelope,
  ours: (domain: string) => boolean,
): Envelope | undefined {
  const { stanza } = envelope
  if (!stanza.hasNamespace(NS_STANZA_IDS)) return undefined
  const honest = stanza.without((child) => {
    if (!isStanzaId(child)) return false
    // What is no address was given by nobody; a client might read it more kindly than we do.
    const by = Jid.tryParse(attribute(stanza, child, 'by')?.trim())
    return by === undefined || ours(by.domain)
  })
  return honest === stanza ? undefined : envelope.with({ stanza: honest })
}

function isStanzaId({ name, xmlns }: StanzaChild): boolean {
  return name === 'stanza-id' && xmlns === NS_STANZA_IDS
}
