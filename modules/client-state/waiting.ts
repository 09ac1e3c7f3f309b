// What can wait while nobody looks at a client (XEP-0352 §3.2), and what it makes superfluous: the latest
// presence of a sender, the latest state of a chat, the latest notification of one item. Everything else
// that waits is kept, in order.

import type { Envelope } from '../../lib/xmpp/envelope.js'
import { sizeOf } from '../../lib/xmpp/held-back.js'
import { isOnlyChatState, isUrgent, trait, traitsOf } from '../../lib/xmpp/message-traits.js'
import { NS_CARBONS, NS_MUC_USER } from '../../lib/xmpp/message-children.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { type Element, elements } from '../../lib/xmpp/element.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const NS_EVENTS = 'http://jabber.org/protocol/pubsub#event'
/** XEP-0045 §7.2.2: a room says that one has entered it. */
const SELF_PRESENCE = '110'

export function canWait({ stanza }: Envelope): boolean {
  if (stanza.kind === 'message') return !isUrgent(stanza)
  if (stanza.kind !== 'presence') return false
  return (stanza.type === '' || stanza.type === 'unavailable') && !isOwnInRoom(stanza)
}

function isOwnInRoom(stanza: Stanza): boolean {
  const room = stanza.child('x', NS_MUC_USER)
  return room?.getChildren('status').some(({ attrs }) => attrs.code === SELF_PRESENCE) ?? false
}

/** What has the same subject has the same key: the later one counts. Undefined: it stands for itself. */
export function subjectOf({ stanza, from, logId }: Envelope): string | undefined {
  if (stanza.kind === 'presence') return `presence ${from.text}`
  // What is in the log is owed to the client, however little it says.
  if (logId > 0) return undefined
  if (isOnlyChatState(stanza)) return `state ${from.text}`
  if (traitsOf(stanza) & trait.wrapper) return subjectOfCopy(stanza)
  if (!(traitsOf(stanza) & trait.event)) return undefined
  const item = onlyItem(stanza.child('event', NS_EVENTS))
  return item && `event ${from.text} ${item}`
}

/** XEP-0280 §7, §8: a state of a chat on another device */
function subjectOfCopy(stanza: Stanza): string | undefined {
  const copy = stanza.child('sent', NS_CARBONS) ?? stanza.child('received', NS_CARBONS)
  const message = copy?.getChild('forwarded')?.getChild('message', NS_CLIENT)
  if (!message || !isOnlyChatState(Stanza.of(message))) return undefined
  return `state ${message.attrs.from} ${message.attrs.to}`
}

/** XEP-0060 §7.1.2.1: its node and id, where the notification is about one item with an id. */
function onlyItem(event: Element | undefined): string | undefined {
  const items = event?.getChild('items')
  const [item, ...more] = items ? elements(items) : []
  if (!items || !item?.attrs.id || more.length > 0) return undefined
  return JSON.stringify([items.attrs.node, item.attrs.id])
}

/** In the order in which they came; of one subject the latest, in its own place. */
export class Waiting {
  #bySubject = new Map<string, Envelope>()
  #serial = 0
  bytes = 0

  get size(): number {
    return this.#bySubject.size
  }

  add(envelope: Envelope): void {
    const subject = subjectOf(envelope) ?? String(++this.#serial)
    const earlier = this.#bySubject.get(subject)
    if (earlier) {
      this.bytes -= sizeOf(earlier, 1)
      this.#bySubject.delete(subject)
    }
    this.#bySubject.set(subject, envelope)
    this.bytes += sizeOf(envelope, 1)
  }

  take(): readonly Envelope[] {
    if (this.#bySubject.size === 0) return []
    const all = [...this.#bySubject.values()]
    this.#bySubject.clear()
    this.bytes = 0
    return all
  }
}
