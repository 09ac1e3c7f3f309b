// Entity Capabilities: the server tells its own in the stream features, and learns those of its
// clients. What a client announces is asked for once per hash and believed only when the hash proves
// it: nobody can teach us what another client can do (SEC-62).

import { type Element, elements, xml } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { defineModule, type DiscoQuestion } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import disco from '../disco.js'
import { verificationHash, verifies } from './verification.js'

const NS_CAPS = 'http://jabber.org/protocol/caps'
const NS_INFO = 'http://jabber.org/protocol/disco#info'
const NODE = 'urn:tercet:server'

/** LIM-caps-cache: hashes remembered */
const MOST_KNOWN = 5000
/** LIM-caps-features: of one client */
const MOST_FEATURES = 500

type Features = ReadonlySet<string>

export interface CapsApi {
  /** What this client said it can do, as far as it is known. */
  featuresOf(session: Session): Features | undefined
}

/** For whoever has something for clients that can take it. */
declare module '../../lib/core/events.js' {
  interface Events {
    /** It is known what a client can do, after it said so in its presence. */
    'caps:learned': { session: Session; features: Features }
  }
}

interface Announced {
  node: string
  hash: string
  ver: string
}

/** What one session announced last, and what came of it. */
interface Learned {
  readonly key: string
  features?: Features
}

const nothing: Features = new Set()
const remembered = Symbol('caps')

export default defineModule<CapsApi>({
  name: 'caps',
  summary: 'Learns what clients can do without asking each of them',
  xeps: { 'XEP-0115': '1.6.0' },
  requires: [disco],

  setup(host) {
    const service = host.use(disco)
    const known = new Map<string, Features>()
    let own: { loaded: unknown; ver: string } | undefined
    return {
      disco: { server: [NS_CAPS, `${NS_CAPS}#optimize`], nodeInfo },
      streamFeatures: [{ name: 'caps', accepts: [], advertise, negotiate() {} }],
      hooks: { 'presence:sent': { record: learn } },
      provides: { featuresOf: (session) => learnedOf(session)?.features },
    }

    // XEP-0115 §6.3
    function advertise(): Element {
      return xml('c', { xmlns: NS_CAPS, hash: 'sha-1', node: NODE, ver: version() })
    }

    /** The list of features is replaced whenever a module comes or goes. */
    function version(): string {
      const loaded = host.streamFeatures
      if (own?.loaded !== loaded) own = { loaded, ver: verificationHash('sha1', service.host()) }
      return own.ver
    }

    function nodeInfo({ node, to }: DiscoQuestion): Element[] | undefined {
      return to.isDomain && node === `${NODE}#${version()}` ? service.host() : undefined
    }

    function learn(envelope: Envelope, passage: Passage): void {
      const { session } = passage
      if (!session || envelope.addressed) return
      const announced = announcement(envelope)
      if (!announced) return void session.memo.delete(remembered)
      const key = `${announced.hash} ${announced.ver}`
      // Asked once, also where the answer proves nothing or does not come.
      if (learnedOf(session)?.key === key) return
      const features = known.get(key)
      const learned: Learned = features ? { key, features } : { key }
      session.memo.set(remembered, learned)
      if (features) passage.after(() => tell(session, features))
      else ask(session, announced, learned).catch((error) => host.failed('caps', error))
    }

    function tell(session: Session, features: Features): void {
      host.server.pending(host.events.emit('caps:learned', { session, features }))
    }

    // The answer of this client is believed for this client, and for others only if the hash proves it.
    async function ask(session: Session, announced: Announced, learned: Learned): Promise<void> {
      const query = xml('query', { xmlns: NS_INFO, node: `${announced.node}#${announced.ver}` })
      const answer = await host.iq
        .ask(query, { type: 'get', from: host.jid, to: session.jid })
        .catch(() => undefined)
      const info = answer?.child('query', NS_INFO)
      if (!info) return
      const features = featuresIn(info)
      learned.features = features
      tell(session, features)
      if (features !== nothing && verifies(info, announced)) remember(learned.key, features)
    }

    function remember(key: string, features: Features): void {
      if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!)
      known.set(key, features)
    }
  },
})

function learnedOf(session: Session): Learned | undefined {
  return session.memo.get(remembered) as Learned | undefined
}

function announcement(envelope: Envelope): Announced | undefined {
  if (!envelope.stanza.has('c', NS_CAPS)) return undefined
  const { node, hash, ver } = envelope.stanza.child('c', NS_CAPS)?.attrs ?? {}
  // XEP-0115 §11: without a hash it is the legacy format, which proves nothing.
  if (!node || !hash || !ver || ver.length > 128 || hash.length > 32 || node.length > 1024)
    return undefined
  return { node, hash, ver }
}

function featuresIn(info: Element): Features {
  const names = elements(info)
    .filter((child) => child.getName() === 'feature')
    .map(({ attrs }) => attrs.var ?? '')
  return names.length > MOST_FEATURES ? nothing : new Set(names)
}
