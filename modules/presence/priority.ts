// The priority of a resource (RFC 6121 §4.7.2.3).

import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

/** 0 where none is given; refuses what is no number between -128 and 127. */
export function priorityOf(stanza: Stanza): number {
  if (!stanza.has('priority', NS_CLIENT)) return 0
  const text = stanza.text('priority')?.trim() ?? ''
  const priority = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (priority >= -128 && priority <= 127) return priority
  throw new StanzaError('bad-request', 'a priority is a whole number from -128 to 127')
}
