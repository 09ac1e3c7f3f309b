// Channel bindings of a connection (XEP-0440): tls-exporter (RFC 9266) and tls-server-end-point (RFC
// 5929 §4), strongest first. tls-unique is not among them: TLS 1.3 has none, and SEC-24 refuses it.

import { xml } from '../../lib/xmpp/element.js'
import type { TlsFacts } from '../../lib/net/transport.js'
import type { StreamFeature } from '../../lib/streams/negotiation.js'

export const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0'

export type BindingType = 'tls-exporter' | 'tls-server-end-point'
export type Bindings = ReadonlyMap<BindingType, Buffer>

const none: Bindings = new Map()
const known = new WeakMap<TlsFacts, Bindings>()

/** Worked out once a connection. */
export function bindingsOf(tls: TlsFacts | undefined): Bindings {
  if (!tls) return none
  const found = known.get(tls)
  if (found) return found
  const bindings = new Map<BindingType, Buffer>()
  const exporter = tls.exporter()
  const endPoint = tls.endPoint()
  if (exporter) bindings.set('tls-exporter', exporter)
  if (endPoint) bindings.set('tls-server-end-point', endPoint)
  known.set(tls, bindings)
  return bindings
}

/** XEP-0440 §2: beside the mechanisms, where there is any. */
export const channelBindingFeature: StreamFeature = {
  name: 'channel binding',
  accepts: [],

  advertise(stream) {
    if (stream.account || !stream.secured) return undefined
    const types = [...bindingsOf(stream.tls).keys()]
    if (types.length === 0) return undefined
    const children = types.map((type) => xml('channel-binding', { type }))
    return xml('sasl-channel-binding', NS_CHANNEL_BINDING, ...children)
  },

  negotiate() {},
}
