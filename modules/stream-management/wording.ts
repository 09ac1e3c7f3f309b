// What is said on the stream about its management (XEP-0198 §2 to §6). Answers to <r/> and requests
// are so frequent that they are text from the beginning.

import { type Element, type Wire, xml } from '../../lib/xmpp/element.js'
import { type StanzaCondition, StreamError } from '../../lib/xmpp/errors.js'
import { NS_STANZA_ERRORS } from '../../lib/xmpp/namespaces.js'
import { onWire } from './counts.js'

export const NS_SM = 'urn:xmpp:sm:3'

export const REQUEST: Wire = `<r xmlns='${NS_SM}'/>`

export function acknowledgement(handled: number): Wire {
  return `<a xmlns='${NS_SM}' h='${onWire(handled)}'/>`
}

export function feature(): Element {
  return xml('sm', NS_SM)
}

/** §3: the id and the longest absence, where the session may be resumed. */
export function enabled(resumable?: { id: string; seconds: number }): Element {
  if (!resumable) return xml('enabled', NS_SM)
  const { id, seconds } = resumable
  return xml('enabled', { xmlns: NS_SM, id, resume: 'true', max: String(seconds) })
}

export function resumed(previd: string, handled: number): Element {
  return xml('resumed', { xmlns: NS_SM, h: String(onWire(handled)), previd })
}

/** §5: with the count where the session is known and gone. */
export function failed(condition: StanzaCondition, handled?: number): Element {
  const h = handled === undefined ? undefined : String(onWire(handled))
  return xml('failed', { xmlns: NS_SM, h }, xml(condition, NS_STANZA_ERRORS))
}

/** §6 */
export function tooHigh(h: number, sent: number): StreamError {
  const attributes = { h: String(h), 'send-count': String(onWire(sent)) }
  const text = `You acknowledged ${h} stanzas, but only ${onWire(sent)} were sent so far.`
  const name = 'handled-count-too-high'
  return new StreamError('undefined-condition', text, { name, xmlns: NS_SM, attributes })
}
