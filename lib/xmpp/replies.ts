// Answers to stanzas: what a result and an error look like (RFC 6120 §8.2.3, §8.3). Addresses are
// not set here; whoever sends the answer knows them.

import { type Element, elements, xml } from './element.js'
import {
  type ApplicationCondition,
  isStanzaCondition,
  StanzaError,
  type StanzaErrorType,
} from './errors.js'
import { NS_CLIENT, NS_STANZA_ERRORS } from './namespaces.js'
import { Stanza } from './stanza.js'

export function resultReply(request: Stanza, child?: Element): Stanza {
  return Stanza.of(xml('iq', { type: 'result', id: request.id }, child))
}

/** Without the offending content, which the sender has: nothing is amplified. */
export function errorReply(request: Stanza, error: StanzaError): Stanza {
  const attributes = { type: 'error', id: request.id || undefined }
  return Stanza.of(xml(request.kind, attributes, errorElement(error)))
}

export function errorElement(error: StanzaError): Element {
  return xml(
    'error',
    { type: error.type },
    xml(error.condition, NS_STANZA_ERRORS),
    error.text ? xml('text', { xmlns: NS_STANZA_ERRORS, 'xml:lang': 'en' }, error.text) : undefined,
    error.application && applicationElement(error.application),
  )
}

function applicationElement({ name, xmlns, attributes }: ApplicationCondition): Element {
  return xml(name, { xmlns, ...attributes })
}

const errorTypes: readonly string[] = ['auth', 'cancel', 'continue', 'modify', 'wait']

/** What an error stanza says (RFC 6120 §8.3.2); undefined-condition where it names none that we know. */
export function errorOf(stanza: Stanza): StanzaError {
  const error = stanza.child('error', NS_CLIENT)
  const named = (error ? elements(error) : [])
    .filter((child) => child.getNS() === NS_STANZA_ERRORS)
    .map((child) => child.getName())
    .find(isStanzaCondition)
  const text = error?.getChildText('text', NS_STANZA_ERRORS) ?? undefined
  const type = error?.attrs.type as StanzaErrorType
  const more = errorTypes.includes(type) ? { type } : {}
  return new StanzaError(named ?? 'undefined-condition', text, more)
}

/** RFC 6120 §8.3.1: never an answer to an error, nor to an answer. A type that there is not is answered. */
export function mayBeAnsweredByError(stanza: Stanza): boolean {
  if (stanza.type === 'error') return false
  return stanza.kind !== 'iq' || stanza.type !== 'result'
}
