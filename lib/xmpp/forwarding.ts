// A stanza inside another one (XEP-0297), as text: what carries it (a carbon copy, a result of an
// archive) is around it. The stanza comes rendered with its own namespace, 'jabber:client', because
// it would inherit that of the wrapper (XEP-0297 §3.2).

import { delayed } from './delay.js'
import type { Wire } from './element.js'

const NS_FORWARD = 'urn:xmpp:forward:0'

/** With `since`, when we got it, it says so (XEP-0297 §3.2). */
export function forwarded(stanza: Wire, since?: number): Wire {
  const delay = since === undefined ? '' : delayed(since)
  return `<forwarded xmlns='${NS_FORWARD}'>${delay}${stanza}</forwarded>`
}
