// The list of features that a stream offers now, and the feature that an element belongs to
// (RFC 6120 §4.3.2).

import { type Element, xml } from '../xmpp/element.js'
import { StreamError } from '../xmpp/errors.js'
import { NS_BIND, NS_STREAM } from '../xmpp/namespaces.js'
import { namespacesFor } from './framing.js'
import type { NegotiatingStream, StreamFeature } from './negotiation.js'

export interface FeatureList {
  readonly offered: readonly StreamFeature[]
  readonly element: Element
}

export function featureList(
  stream: NegotiatingStream,
  features: readonly StreamFeature[],
): FeatureList {
  const element = xml('stream:features', namespacesFor(stream.framing))
  const offered = features.filter((feature) => {
    const advertised = feature.advertise(stream)
    if (advertised) element.cnode(advertised)
    return advertised !== undefined
  })
  // RFC 6120 §7.4: binding is mandatory to negotiate, once the client has authenticated.
  if (stream.account && !stream.session) element.cnode(xml('bind', NS_BIND))
  return { offered, element }
}

export function featureFor(element: Element, candidates: readonly StreamFeature[]): StreamFeature {
  const key = `{${element.getNS() ?? ''}}${element.getName()}`
  const feature = candidates.find(({ accepts }) => accepts.includes(key))
  if (feature) return feature
  throw new StreamError(element.getNS() === NS_STREAM ? 'bad-format' : 'unsupported-stanza-type')
}
