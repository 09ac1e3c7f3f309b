// Channel bindings of a connection (XEP-0440): tls-exporter (RFC 9266) and tls-server-end-point (RFC
// 5929 §4), strongest first. tls-unique is not among them: TLS 1.3 has none, and SEC-24 refuses it.

import { randomBytes } from 'node:crypto'
import { xml } from '../../lib/xmpp/element.js'
import type { TlsFacts } from '../../lib/net/transport.js'
import type { StreamFeature } from '../../lib/streams/negotiation.js'

export const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0'

export type BindingType = 'tls-exporter' | 'tls-server-end-point'

export interface Bindings {
  readonly types: readonly BindingType[]
  has(type: BindingType): boolean
  /** Worked out when it is asked for: few who log in do. */
  get(type: BindingType): Buffer
}

const none: Bindings = { types: [], has: () => false, get: () => randomBytes(UNKNOWN_BYTES) }
/** Of what stands for a value that is not to be had (any more): it fits nothing. */
const UNKNOWN_BYTES = 32
const known = new WeakMap<TlsFacts, Bindings>()

/** Worked out once a connection. */
export function bindingsOf(tls: TlsFacts | undefined): Bindings {
  if (!tls) return none
  const found = known.get(tls)
  if (found) return found
  const bindings = new ConnectionBindings(tls)
  known.set(tls, bindings)
  return bindings
}

class ConnectionBindings implements Bindings {
  readonly types: readonly BindingType[]
  readonly #tls: TlsFacts

  constructor(tls: TlsFacts) {
    this.#tls = tls
    const exporter = tls.hasExporter ? (['tls-exporter'] as const) : []
    const endPoint = tls.endPoint() ? (['tls-server-end-point'] as const) : []
    this.types = [...exporter, ...endPoint]
  }

  has(type: BindingType): boolean {
    return this.types.includes(type)
  }

  get(type: BindingType): Buffer {
    const value = type === 'tls-exporter' ? this.#tls.exporter() : this.#tls.endPoint()
    return value ?? randomBytes(UNKNOWN_BYTES)
  }
}

/** XEP-0440 §2: beside the mechanisms, where there is any. */
export const channelBindingFeature: StreamFeature = {
  name: 'channel binding',
  accepts: [],

  advertise(stream) {
    if (stream.account || !stream.secured) return undefined
    const types = bindingsOf(stream.tls).types
    if (types.length === 0) return undefined
    const children = types.map((type) => xml('channel-binding', { type }))
    return xml('sasl-channel-binding', NS_CHANNEL_BINDING, ...children)
  },

  negotiate() {},
}
