// The outermost text of a stream: RFC 6120 §4.2 over TCP, RFC 7395 §3.3 over WebSocket, where every
// message stands alone and names its namespaces itself.

import { type Element, escapeXml, toWire, type Wire, xml } from '../xmpp/element.js'
import type { StreamError } from '../xmpp/errors.js'
import { NS_CLIENT, NS_FRAMING, NS_STREAM, NS_STREAM_ERRORS } from '../xmpp/namespaces.js'

export type Framing = 'stream' | 'message'

export interface Greeting {
  id: string
  from: string
  to: string | undefined
}

export function greeting(framing: Framing, { id, from, to }: Greeting): Wire {
  const attribute = (name: string, value: string | undefined) =>
    value ? ` ${name}='${escapeXml(value)}'` : ''
  const attributes = `${attribute('from', from)}${attribute('to', to)} id='${id}' version='1.0' xml:lang='en'`
  if (framing === 'message') return toWire(`<open xmlns='${NS_FRAMING}'${attributes}/>`)
  const namespaces = `xmlns='${NS_CLIENT}' xmlns:stream='${NS_STREAM}'`
  return toWire(`<?xml version='1.0'?><stream:stream ${namespaces}${attributes}>`)
}

export function closing(framing: Framing): Wire {
  return framing === 'message' ? `<close xmlns='${NS_FRAMING}'/>` : '</stream:stream>'
}

export function namespacesFor(framing: Framing): Record<string, string> {
  return framing === 'message' ? { 'xmlns:stream': NS_STREAM } : {}
}

export function streamErrorElement(error: StreamError, framing: Framing): Element {
  const { application } = error
  return xml(
    'stream:error',
    namespacesFor(framing),
    xml(error.condition, NS_STREAM_ERRORS),
    error.text ? xml('text', { xmlns: NS_STREAM_ERRORS, 'xml:lang': 'en' }, error.text) : undefined,
    application && xml(application.name, { xmlns: application.xmlns, ...application.attributes }),
  )
}
