// What a stanza must look like before anybody asks what it is for: RFC 6120 §8.2.3, RFC 6121 §4.7.1.

import { StanzaError } from '../xmpp/errors.js'
import type { Stanza } from '../xmpp/stanza.js'

const iqTypes = new Set(['get', 'set', 'result', 'error'])
const presenceTypes = new Set([
  '',
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
  'error',
])

/** RFC 6120 §8.2.3, RFC 6121 §4.7.1: what is no proper stanza goes nowhere. */
export function checkForm(stanza: Stanza): void {
  if (stanza.kind === 'message') return
  if (stanza.kind === 'presence') {
    if (!presenceTypes.has(stanza.type))
      throw new StanzaError('bad-request', 'no such type of presence')
    return
  }
  if (!iqTypes.has(stanza.type)) throw new StanzaError('bad-request', 'no such type of iq')
  if (stanza.id === '') throw new StanzaError('bad-request', 'an iq needs an id')
  const request = stanza.type === 'get' || stanza.type === 'set'
  if (request && stanza.children.length !== 1)
    throw new StanzaError('bad-request', 'a request has one child')
}
