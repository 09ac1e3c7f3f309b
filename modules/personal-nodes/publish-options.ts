// What a client wants to be sure of before it publishes (XEP-0060 §7.1.5): that a node keeps its items and shows
// them to nobody else. The nodes here are like that and never otherwise.

import type { Element } from '../../lib/xmpp/element.js'
import { type StanzaCondition, StanzaError } from '../../lib/xmpp/errors.js'
import { readForm } from '../../lib/xmpp/forms.js'

export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'

/** Other options change nothing that anybody must be afraid of. */
const CERTAIN: Readonly<Record<string, readonly string[]>> = {
  'pubsub#access_model': ['whitelist'],
  'pubsub#persist_items': ['1', 'true'],
}

export function checkOptions(pubsub: Element): void {
  const options = pubsub.getChild('publish-options')
  const submitted = options && readForm(options, `${NS_PUBSUB}#publish-options`)
  for (const [name, good] of Object.entries(CERTAIN)) {
    const value = submitted?.values.get(name)?.[0]
    if (value !== undefined && !good.includes(value))
      throw refusal('conflict', 'precondition-not-met')
  }
}

export function refusal(condition: StanzaCondition, name: string): StanzaError {
  return new StanzaError(condition, undefined, {
    application: { name, xmlns: `${NS_PUBSUB}#errors` },
  })
}
