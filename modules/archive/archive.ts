// The archive: the messages that an account keeps, shown page by page (XEP-0313). They are in the
// core's message log; here is decided which of them stay, what they are called outside, and what is
// read. What was sent is kept before it is delivered, so whoever got a message finds it here.

import { untilRoom } from '../../lib/core/long-answers.js'
import { type Account, defineModule, type IqRequest } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { QueryPace } from '../../lib/core/query-pace.js'
import { choice, duration, integer } from '../../lib/ops/options.js'
import { KEPT } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import type { Element, Wire } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { NS_ARCHIVE, NS_RETRACTION, NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import { NS_RSM } from '../../lib/xmpp/result-set.js'
import type { Knex } from 'knex'
import authentication from '../authentication/authentication.js'
import roster from '../roster/roster.js'
import { openIds } from './archive-ids.js'
import { Expiry } from './expiry.js'
import { type ExtraField, Fields, type NarrowedQuery } from './fields.js'
import { withoutForgedDelays } from './forged-delays.js'
import { withoutForgedIds } from './forged-ids.js'
import { Keeping } from './keeping.js'
import { OtherArchives } from './other-archives.js'
import { ArchivePages } from './pages.js'
import { setPreferences, tellPreferences } from './preference-requests.js'
import { PREFERENCES, PreferenceStore, standards } from './preferences.js'
import { writePage } from './results.js'
import { Retractions, retracts } from './retraction.js'
import { migrations } from './tables.js'

export type { ExtraField, NarrowedQuery }

/** What modules that require this one get. */
export interface ArchiveApi {
  /** The id of a message outside, of its number in the log. */
  seal(number: number): string
  /** Its number, or undefined for what we never gave; whose it is is another question. */
  open(id: string): number | undefined
  /** Another field of the query's form; gives back what takes it away again, for `close`. */
  field(field: ExtraField): () => void
  /** A message as a page shows it, for pages of another kind (XEP-0313 §4.2). */
  result(logged: Logged, queryId: string): Wire
  /** Pages, for whoever has an archive of another kind in the log */
  readonly pages: ArchivePages
  /** Archives that accounts are part of */
  readonly others: OtherArchives
  /** One for all that an account asks of its archive; undefined where nothing is limited. */
  readonly pace: QueryPace | undefined
  /** How long messages stay, in milliseconds */
  readonly kept: number
}

const EXPIRE = 3_600_000
const LOOK_ELSEWHERE = 1000

const config = {
  keep: duration({
    default: 'forever',
    min: '1 hour',
    doc: 'How long messages are kept',
  }),
  default: choice({
    default: 'always',
    choices: standards,
    doc: 'What is kept of accounts that have not said what they want',
  }),
  page: integer({
    default: 50,
    min: 1,
    max: 250,
    doc: 'Messages of one page, where the client does not say how many it wants',
  }),
  longest_page: integer({ default: 250, min: 1, max: 1000, doc: 'Most messages of one page' }),
}

/** XEP-0313 §7 */
const archiveFeatures = [NS_ARCHIVE, `${NS_ARCHIVE}#extended`, `${NS_ARCHIVE}#groupchat-field`]
const NS_TOMBSTONES = `${NS_RETRACTION}#tombstone`

export default defineModule<ArchiveApi, typeof config>({
  name: 'archive',
  summary: 'Keeps messages and shows them again',
  xeps: {
    'XEP-0059': '1.0',
    'XEP-0313': '1.1.3',
    'XEP-0359': '0.7.0',
    'XEP-0424': '0.4.2',
    'XEP-0441': '0.2.0',
  },
  requires: [authentication, roster],
  config,
  migrations,

  async setup(host) {
    const ids = await openIds(host.database, host.random)
    const seal = (number: number) => ids.seal(number)
    const open = (id: string) => ids.open(id)
    const preferences = new PreferenceStore(host.database, host.config.default)
    await preferences.load()
    const keeping = new Keeping(host, preferences, inRoster)
    const retractions = new Retractions(host)
    const expiry = new Expiry(host)
    const fields = new Fields()
    const { page, longest_page: most } = host.config
    const pace = host.server.settings.limits === 'off' ? undefined : new QueryPace(host.clock)
    const pages = new ArchivePages(host.messages, { fields, open, seal, page, most })
    const withdraw = host.use(authentication).inlineBind({
      xmlns: NS_ARCHIVE,
      // XEP-0386 §3.2: the state of the archive at the moment of binding.
      answer: async ({ session }) => ({ element: await ends(session.jid) }),
    })
    const own = { xmlns: NS_ARCHIVE, to: 'account', allow: 'self' } as const
    const reads = true
    return {
      provides: {
        seal,
        open,
        field: (field) => fields.add(field),
        result: (logged, queryId) => pages.result(logged, queryId),
        pages,
        others: new OtherArchives(),
        pace,
        kept: host.config.keep,
      },
      disco: {
        server: [NS_RETRACTION, NS_RSM],
        account: [...archiveFeatures, NS_RSM, NS_STANZA_IDS, NS_RETRACTION, NS_TOMBSTONES],
      },
      iq: [
        { get: 'query', ...own, reads, answer: () => pages.form() },
        { set: 'query', ...own, reads, answer: query },
        { get: 'metadata', ...own, reads, answer: ({ to }) => ends(to) },
        {
          get: 'prefs',
          ...own,
          reads,
          answer: (asked) => tellPreferences(host, preferences, asked),
        },
        { set: 'prefs', ...own, answer: (asked) => setPreferences(host, preferences, asked) },
      ],
      hooks: {
        'message:sent': { amend: strip, record: recordSent },
        'message:received': { amend: strip, record: recordReceived },
      },
      label,
      on: { 'session:detached': ({ session }) => pace?.release(session.number) },
      tasks: [
        { name: 'expire messages', every: EXPIRE, once: true, run: () => expiry.run() },
        { name: 'preferences set elsewhere', every: LOOK_ELSEWHERE, run: lookElsewhere },
      ],
      remembers: {
        [PREFERENCES]: {
          forget: (account) => preferences.changed(Number(account)),
          forgetAll: readPreferences,
        },
      },
      account: { forget },
      close() {
        withdraw()
        expiry.stop()
        pace?.close()
      },
    }

    /** XEP-0313 §4 */
    async function query(request: IqRequest): Promise<Element> {
      const { session } = request
      // Results go to the session that asked; there is nobody else who may ask.
      if (!session) throw new StanzaError('service-unavailable')
      const asked = pages.read(request.element)
      await pace?.turn(session.number)
      if (session.closed) throw new StanzaError('recipient-unavailable')
      const page = await pages.page(session.number, asked)
      await untilRoom(session)
      writePage(session, page, seal)
      return page.fin
    }

    async function ends(account: Jid): Promise<Element> {
      return pages.metadata(await host.numberOf(account))
    }

    function strip(envelope: Envelope, { account }: Passage): Envelope | undefined {
      const ours = (domain: string): boolean => host.server.hosts.has(domain)
      const named = withoutForgedIds(envelope, ours)
      return withoutForgedDelays(named ?? envelope, account, ours) ?? named
    }

    function recordSent(envelope: Envelope, passage: Passage): Promise<void> | undefined {
      const kept = keeping.sent(envelope, passage)
      const id = retracts(envelope)
      if (kept === false || (kept === true && id === undefined)) return undefined
      return settle(kept, id, (retracted) => retractions.sent(envelope, retracted))
    }

    function recordReceived(envelope: Envelope, passage: Passage): Promise<void> | undefined {
      const kept = keeping.received(envelope, passage)
      const id = retracts(envelope)
      if (kept === false || (kept === true && id === undefined)) return undefined
      return settle(kept, id, (retracted) => retractions.received(envelope, retracted))
    }

    async function inRoster(account: Jid, contact: Jid): Promise<boolean> {
      const items = await host.use(roster).ofAccount(account)
      return items?.item(contact).listed ?? false
    }

    /** XEP-0313 §3.5, XEP-0359 §3: shown to whose archive it is, and to nobody else. */
    function label({ owner, id, flags }: { owner: Jid; id: number; flags: number }): Wire {
      if ((flags & KEPT) === 0) return ''
      return `<stanza-id xmlns='${NS_STANZA_IDS}' by='${owner.attr}' id='${seal(id)}'/>`
    }

    async function lookElsewhere(): Promise<void> {
      const heard = host.server.changes.believed === Number.POSITIVE_INFINITY
      if (!heard) await preferences.refresh(host.clock.now())
    }

    function readPreferences(): void {
      const read = preferences.again(host.clock.now())
      host.server.pending(read.catch((error) => host.failed('archive', error)))
    }

    async function forget({ number }: Account, trx: Knex.Transaction): Promise<() => void> {
      await host.messages.forget(number, trx)
      await preferences.remove(number, trx)
      return () => {
        preferences.forget(number)
        host.changed(PREFERENCES, number)
      }
    }
  },
})

/** A retraction takes effect in the archives that keep it. */
async function settle(
  kept: boolean | Promise<boolean>,
  id: string | undefined,
  retract: (id: string) => Promise<void>,
): Promise<void> {
  if ((await kept) && id !== undefined) await retract(id)
}
