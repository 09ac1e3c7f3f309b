// Requests that a stream answers itself, because there is no session yet: binding a resource after
// login (RFC 6120 §7), and before login those that a feature lets in, such as registration. Any other
// stanza is the end of the stream (RFC 6120 §4.9.3.12).

import { type Element, type Wire, xml } from '../xmpp/element.js'
import { StanzaError, StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { NS_BIND, NS_CLIENT } from '../xmpp/namespaces.js'
import { errorReply, resultReply } from '../xmpp/replies.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { NegotiatingStream, StreamFeature } from './negotiation.js'

interface UnboundStream extends NegotiatingStream {
  write(wire: Wire): void
}

type Answer = Element | undefined | void

export async function answerUnbound(
  stanza: Stanza,
  stream: UnboundStream,
  features: readonly StreamFeature[],
): Promise<void> {
  try {
    const asked = stream.account ? bound(stanza, stream) : early(stanza, stream, features)
    const child = await asked
    reply(stream, stanza, resultReply(stanza, child ?? undefined))
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    reply(stream, stanza, errorReply(stanza, error))
  }
}

async function bound(stanza: Stanza, stream: UnboundStream): Promise<Element> {
  const request =
    stanza.kind === 'iq' && stanza.type === 'set' ? stanza.child('bind', NS_BIND) : undefined
  // RFC 6120 §7.1
  if (!request) throw new StreamError('not-authorized', 'bind a resource first')
  const session = await stream.bind(request.getChildText('resource') || undefined)
  return xml('bind', NS_BIND, xml('jid', {}, session.jid.text))
}

function early(
  stanza: Stanza,
  stream: UnboundStream,
  features: readonly StreamFeature[],
): Answer | Promise<Answer> {
  const [child] = stanza.children
  const key = `{${child?.xmlns}}${child?.name}`
  const requests = isRequestTo(stream.domain, stanza)
    ? features.find((feature) => feature.requests?.accepts.includes(key))?.requests
    : undefined
  if (!requests) throw new StreamError('not-authorized')
  return requests.answer(stanza, stream)
}

function isRequestTo(domain: string, stanza: Stanza): boolean {
  if (stanza.kind !== 'iq' || (stanza.type !== 'get' && stanza.type !== 'set')) return false
  if (stanza.id === '' || stanza.children.length !== 1) return false
  return stanza.to === undefined || Jid.tryParse(stanza.to)?.text === domain
}

function reply(stream: UnboundStream, request: Stanza, answer: Stanza): void {
  // Who named us is answered by that name.
  const from = request.to === undefined ? '' : (Jid.tryParse(request.to)?.attr ?? '')
  stream.write(answer.render(from, '', '', stream.framing === 'message' ? NS_CLIENT : ''))
}
