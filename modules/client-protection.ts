// Takes from messages what only somebody else may say, for clients that forget to check: copies in the
// manner of message carbons (SEC-50) and results of an archive (SEC-52). A client that believes one shows
// words that nobody wrote (CVE-2017-5589, CVE-2019-16235 and their kin). What is real passes: copies come
// from the account's own bare address, results from the address of an archive, which has no resource.
// Nothing else of the message changes, and what a forwarded message holds is left to clients: they
// believe it only of whom they asked (XEP-0313 §8.2, XEP-0297 §7).

import type { Envelope } from '../lib/xmpp/envelope.js'
import { NS_CARBONS } from '../lib/xmpp/message-children.js'
import type { StanzaChild } from '../lib/xmpp/stanza.js'
import { defineModule } from '../lib/core/module.js'
import type { Passage } from '../lib/core/pipeline.js'

/** Of all its versions */
const NS_ARCHIVES = 'urn:xmpp:mam:'

export default defineModule({
  name: 'client-protection',
  summary: 'Takes forged copies of other conversations out of messages',

  setup() {
    return { hooks: { 'message:received': { amend: stripForgeries } } }
  },
})

function stripForgeries(envelope: Envelope, { account }: Passage): Envelope | undefined {
  const { stanza, from } = envelope
  if (!stanza.children.some(isForeign) || from.equals(account)) return undefined
  const mayAnswer = isAnswer(envelope)
  const honest = stanza.without((child) => isCopy(child) || (isResult(child) && !mayAnswer))
  return honest === stanza ? undefined : envelope.with({ stanza: honest })
}

function isForeign(child: StanzaChild): boolean {
  return isCopy(child) || isResult(child)
}

/**
 * XEP-0280 §11: copies come from the account's bare address; any others are to be ignored.
 * <private/> (§9) is a wish of the sender's and stays.
 */
function isCopy({ name, xmlns }: StanzaChild): boolean {
  return xmlns === NS_CARBONS && (name === 'sent' || name === 'received')
}

/** Old versions said in a message that a page ends. */
function isResult({ name, xmlns }: StanzaChild): boolean {
  return (name === 'result' || name === 'fin') && xmlns.startsWith(NS_ARCHIVES)
}

/** A room's archive, or a server's, answers the device that asked it; people have a resource. */
function isAnswer({ from, to }: Envelope): boolean {
  return from.resource === '' && to.resource !== ''
}
