// Client state indication (XEP-0352): a client says that nobody looks at it, and what can wait is held
// back until it is looked at again, until something urgent comes, or until it is too much. What is held
// back is not counted as sent: a message of the log among it has nothing of the log written behind it,
// so whatever becomes of the session, its position is true. Nobody else hears of any of this (§6).

import { defineModule } from '../../lib/core/module.js'
import { type Handled, handled, type Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { integer } from '../../lib/ops/options.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { late } from '../../lib/xmpp/held-back.js'
import authentication from '../authentication/authentication.js'
import type { BindRequest } from '../authentication/inline.js'
import { canWait, Waiting } from './waiting.js'

const NS_CLIENT_STATE = 'urn:xmpp:csi:0'
/** LIM-client-state: bytes held back for one client */
const MOST_BYTES = 256 * 1024

/** Set while the client is inactive */
const inactive = Symbol('what waits for an inactive client')

export default defineModule({
  name: 'client-state',
  summary: 'Spares clients that nobody looks at what can wait',
  xeps: { 'XEP-0352': '1.0.0' },
  requires: [authentication],
  config: {
    most: integer({
      default: 200,
      min: 0,
      max: 1000,
      doc: 'Most stanzas held back for one inactive client; 0 holds nothing back',
    }),
  },

  setup(host) {
    const { most } = host.config
    const withdraw = host.use(authentication).inlineBind({
      xmlns: NS_CLIENT_STATE,
      feature: NS_CLIENT_STATE,
      answer: bound,
    })
    const spoken = ['active', 'inactive'].map((name) => `{${NS_CLIENT_STATE}}${name}`)

    return {
      streamFeatures: [{ name: 'client state', accepts: spoken, advertise, negotiate, ending }],
      hooks: { 'session:write': { deliver: hold } },
      on: {
        // §5.2: whoever resumes the session is active.
        'session:detached': ({ session }) => activate(session),
        // From here on it may come to its messages by the log (RFC 6121 §8.5.2.1.1).
        'session:presence': ({ session }) => {
          if (session.priority < 0) release(session)
        },
        'session:unavailable': ({ session }) => release(session),
      },
      close() {
        withdraw()
        for (const session of host.sessions.all()) activate(session)
      },
    }

    function advertise(stream: NegotiatingStream): Element | undefined {
      return stream.account && xml('csi', NS_CLIENT_STATE)
    }

    /** §5.1: what it causes is written before anything that the client sends next is looked at. */
    function negotiate(element: Element, stream: NegotiatingStream): void {
      const session = stream.session as Session | undefined
      if (!session) return
      if (element.is('active')) activate(session)
      else deactivate(session)
    }

    /** What waits is in no queue that anybody takes over: it is written while it can be. */
    function ending({ session }: NegotiatingStream): void {
      if (session) release(session as Session)
    }

    /** XEP-0386 §3.2 */
    function bound({ elements, session }: BindRequest): undefined {
      if (elements.some((element) => element.is('inactive'))) deactivate(session as Session)
    }

    function hold(envelope: Envelope, { session }: Passage): Handled | undefined {
      const waiting = session?.memo.get(inactive) as Waiting | undefined
      if (!session || !waiting) return undefined
      if (!canWait(envelope) || !isInOrder(envelope, session)) {
        release(session)
        return undefined
      }
      waiting.add(envelope)
      if (waiting.size > most || waiting.bytes > MOST_BYTES) release(session)
      return handled
    }
  },
})

function deactivate(session: Session): void {
  if (!session.memo.has(inactive)) session.memo.set(inactive, new Waiting())
}

function activate(session: Session): void {
  release(session)
  session.memo.delete(inactive)
}

/** A message of the log waits only where it is the next one of a session that is given them all. */
function isInOrder({ logId }: Envelope, { position, behind }: Session): boolean {
  return logId === 0 || (position.follows && !behind && logId > position.newest)
}

function release(session: Session): void {
  const waiting = session.memo.get(inactive) as Waiting | undefined
  // Without a stream and without anybody who keeps it nothing is written: the log still has its own.
  if (!waiting || !(session.stream || session.keeper)) return
  for (const envelope of waiting.take())
    if (!session.comesLater(envelope)) session.put(lateNow(envelope, session))
}

function lateNow(envelope: Envelope, { host }: Session): Envelope {
  return envelope.arrived < host.clock.now() ? late(envelope, host.jid.attr) : envelope
}
