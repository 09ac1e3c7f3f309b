// What a carbon copy looks like (XEP-0280 §7, §8): the message as it was sent or received, inside one of
// the account's own. The text is made once however many sessions get it.

import { toWire } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { forwarded } from '../../lib/xmpp/forwarding.js'
import { NS_CARBONS } from '../../lib/xmpp/message-children.js'
import type { Direction } from '../../lib/xmpp/message-traits.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const WIRE_CLIENT = toWire(NS_CLIENT)
const TYPES = new Set(['chat', 'normal', 'headline', 'error'])

/** With `since` where it comes late (XEP-0297 §3.2). */
export function copyOf(envelope: Envelope, direction: Direction, since?: number): Stanza {
  const message = forwarded(envelope.wireFor(WIRE_CLIENT), since)
  const content = `<${direction} xmlns='${NS_CARBONS}'>${message}</${direction}>`
  const type = TYPES.has(envelope.stanza.type) ? envelope.stanza.type : ''
  return new Stanza({
    kind: 'message',
    type,
    id: '',
    to: undefined,
    from: undefined,
    lang: '',
    attributes: type === '' ? '' : ` type='${type}'`,
    content,
    children: [{ name: direction, xmlns: NS_CARBONS, start: 0, end: content.length }],
  })
}
