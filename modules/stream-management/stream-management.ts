// Stream management (XEP-0198): both sides know what the other has, and a session outlives a broken
// connection, this process and its crash. Acknowledged is what is on disk; the core puts each count
// there with the stanza that it counts. Messages that a client has not acknowledged are in the message
// log: when they are many, only there.

import type { Session } from '../../lib/core/session.js'
import { defineModule } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { bytes, duration, integer } from '../../lib/ops/options.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import type { Element } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import accounts from '../accounts/accounts.js'
import authentication from '../authentication/authentication.js'
import type { BindRequest, InlineAnswer, LoginRequest } from '../authentication/inline.js'
import { Enabling } from './enabling.js'
import { countOf } from './counts.js'
import { Held } from './held.js'
import { ManagedSession } from './managed-session.js'
import { Registry } from './registry.js'
import { Releasing } from './releasing.js'
import { Restoring } from './restoring.js'
import { Resumption } from './resumption.js'
import { LIVES, SessionStore } from './store.js'
import { migrations } from './tables.js'
import { failed, feature, NS_SM } from './wording.js'

const SWEEP = 1000
const SIGN_OF_LIFE = 30_000
const PURGE = 60 * 60_000
const HELD = 10_000
/** How long the count of a session that ended is kept */
const KEPT = 7 * 24 * 60 * 60_000

export default defineModule({
  name: 'stream-management',
  summary: 'Acknowledges stanzas and resumes sessions after a broken connection or a restart',
  xeps: { 'XEP-0198': '1.6.2' },
  requires: [accounts, authentication],
  migrations,
  config: {
    resume_time: duration({
      default: '10 minutes',
      min: '10 s',
      max: '2 days',
      doc: 'How long a client may be away and still resume its session',
    }),
    queue: integer({
      default: 1000,
      min: 20,
      max: 100_000,
      doc: 'Stanzas that a client may leave unacknowledged; more of them wait in the message log',
    }),
    queue_size: bytes({
      default: '1 MiB',
      min: '64 KiB',
      max: '64 MiB',
      doc: 'Memory that the unacknowledged stanzas of one client may take',
    }),
  },

  setup(host) {
    const { resume_time: longest, queue, queue_size: size } = host.config
    const store = new SessionStore(host.database)
    const registry = Registry.of(host)
    registry.closed = false
    registry.bounds = { stanzas: queue, bytes: size }
    const enabling = new Enabling(host, registry, longest)
    const recheck = (session: Session) => host.use(accounts).recheck(session)
    const restoring = new Restoring(host, registry, { store, recheck })
    const held = new Held(host, store)
    const resumption = new Resumption(host, registry, restoring)
    const inline = host.use(authentication)
    const forget = [
      inline.inlineLogin({ xmlns: NS_SM, advertise: feature, answer: resumeInline }),
      inline.inlineBind({ xmlns: NS_SM, feature: NS_SM, answer: enableInline }),
      new Releasing(host, registry, restoring).listen(),
    ]
    const spoken = ['enable', 'resume', 'r', 'a'].map((name) => `{${NS_SM}}${name}`)
    return {
      streamFeatures: [{ name: 'stream management', accepts: spoken, advertise, negotiate }],
      hooks: { 'iq:sent': { admit: remember } },
      tasks: [
        { name: 'acknowledgements', every: SWEEP, run: () => registry.sweep() },
        { name: 'sign of life', every: SIGN_OF_LIFE, run: live },
        { name: 'ended sessions', every: PURGE, once: true, run: purge },
        { name: 'held elsewhere', every: HELD, run: () => held.look() },
      ],
      on: {
        'host:ready': begin,
        'session:presence': ({ session: { keeper } }) => {
          if (!(keeper instanceof ManagedSession)) return
          keeper.outlet.missed.more()
          registry.list(keeper)
        },
      },
      metrics: [
        {
          name: 'managed_sessions',
          doc: 'Sessions whose streams are managed, those included that wait for their clients',
          kind: 'gauge',
          read: () => registry.size,
        },
      ],
      awaited: (lost) => restoring.awaits(lost),
      account: { forget: ({ number }, trx) => store.forget(trx, number) },
      close,
    }

    /**
     * §2: once the client is authenticated, before it binds or after; not where the login brought it
     * along, or clients enable it once more.
     */
    function advertise({ account, session }: NegotiatingStream): Element | undefined {
      return account && !(session as Session | undefined)?.keeper ? feature() : undefined
    }

    function negotiate(element: Element, stream: NegotiatingStream): Promise<void> | void {
      const name = element.getName()
      if (name === 'enable') return enabling.enable(element, stream)
      if (name === 'resume') return resume(element, stream)
      const managed = (stream.session as Session | undefined)?.keeper
      if (!(managed instanceof ManagedSession))
        return void stream.send(failed('unexpected-request'))
      if (name === 'r') return managed.asked()
      managed.acknowledge(countOf(element.attrs.h))
    }

    async function resume(element: Element, stream: NegotiatingStream): Promise<void> {
      const answer = await resumption.resume(element, stream)
      stream.send(answer.element)
      answer.begin?.()
    }

    /** §9.2: before anything is bound. */
    async function resumeInline({
      elements,
      stream,
    }: LoginRequest): Promise<InlineAnswer | undefined> {
      const asked = elements.find((element) => element.is('resume'))
      if (!asked) return undefined
      return inlined(await resumption.resume(asked, stream))
    }

    /** §9.1 */
    async function enableInline({
      elements,
      session,
    }: BindRequest): Promise<InlineAnswer | undefined> {
      const asked = elements.find((element) => element.is('enable'))
      if (!asked) return undefined
      return inlined(await enabling.begin(asked, session as Session))
    }

    function inlined({ element, begin }: { element: Element; begin?: () => void }): InlineAnswer {
      return begin ? { element, afterwards: begin } : { element }
    }

    function remember(envelope: Envelope, { session }: Passage): void {
      const { type } = envelope.stanza
      if (type !== 'get' && type !== 'set') return
      if (session?.keeper instanceof ManagedSession)
        session.keeper.requests.asked(envelope, session.lane.received)
    }

    /** On disk before there are sessions: others take no life for over that they do not know. */
    function begin(): Promise<void> {
      const entry = host.journal.entry()
      entry.put(LIVES, { life: registry.life, seen: host.clock.now() })
      return host.journal.commit(entry)
    }

    /** By which one knows later how long a session was alone that nobody saw end. */
    function live(): void {
      host.journal.ride(LIVES, { life: registry.life, seen: host.clock.now() })
    }

    function purge(): Promise<void> {
      return host.server.pending(store.purge(host.clock.now() - KEPT))
    }

    function close(): void {
      for (const undo of forget) undo()
      registry.closed = true
      if (host.server.stopping) {
        // What others sent them while they went is in their queues.
        for (const managed of registry.all()) if (!managed.session.stream) managed.rows.save()
        return
      }
      for (const { session } of [...registry.all()]) if (!session.stream) session.close()
    }
  },
})
