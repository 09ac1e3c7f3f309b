// Takes from messages what only the recipient's own account may say, for clients that forget to
// check (SEC-50): copies in the manner of message carbons. A client that believes one shows words
// that nobody wrote (CVE-2017-5589 and its kin). Real copies are sent from the account's own bare
// address, and those pass. Nothing else of the message changes.

import type { Envelope } from '../lib/xmpp/envelope.js'
import type { StanzaChild } from '../lib/xmpp/stanza.js'
import { defineModule } from '../lib/core/module.js'
import type { Passage } from '../lib/core/pipeline.js'

const NS_CARBONS = 'urn:xmpp:carbons:2'

export default defineModule({
  name: 'client-protection',
  summary: 'Takes forged copies of other conversations out of messages',

  setup() {
    return { hooks: { 'message:received': { amend: stripForgedCopies } } }
  },
})

// XEP-0280 §11: copies come from the account's bare address; any others are to be ignored.
function stripForgedCopies(envelope: Envelope, { account }: Passage): Envelope | undefined {
  const { stanza, from } = envelope
  if (!stanza.hasNamespace(NS_CARBONS) || from.equals(account)) return undefined
  const honest = stanza.without(isCopy)
  return honest === stanza ? undefined : envelope.with({ stanza: honest })
}

/** <private/> (XEP-0280 §9) is a wish of the sender's and stays. */
function isCopy({ name, xmlns }: StanzaChild): boolean {
  return xmlns === NS_CARBONS && (name === 'sent' || name === 'received')
}
