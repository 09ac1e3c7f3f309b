// Rosters (RFC 6121 §2): who an account's contacts are and who sees whose presence. The stanzas that
// change subscriptions are the module presence's; it asks here for the state and writes here what
// becomes of it.

import type { Knex } from 'knex'
import { type Account, defineModule, type IqRequest } from '../../lib/core/module.js'
import type { PhaseHandlers } from '../../lib/core/pipeline.js'
import { xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { NS_PRE_APPROVAL, NS_ROSTER, NS_ROSTER_VERSION } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Session } from '../../lib/core/session.js'
import type { NegotiatingStream, StreamFeature } from '../../lib/streams/negotiation.js'
import { integer } from '../../lib/ops/options.js'
import { blankItem, type Item } from './item.js'
import { PUSH, type Told } from './pushes.js'
import { Rosters } from './rosters.js'
import { migrations } from './tables.js'
import { answerSet } from './updates.js'
import { answerGet, restoreInterest, savedInterest } from './versions.js'

/** What modules that require this one get. */
export type RosterApi = Rosters

const CATCH_UP = 2000

export default defineModule({
  name: 'roster',
  summary: 'Contacts of accounts and who sees whose presence',
  xeps: { 'XEP-0237': '1.3' },
  migrations,
  config: {
    contacts: integer({ default: 1000, min: 1, max: 20_000, doc: 'Most contacts of one account' }),
  },

  setup(host) {
    const rosters = new Rosters(host, { most: host.config.contacts })
    const get = (request: IqRequest) => answerGet(host, rosters, request)
    const set = (request: IqRequest) => answerSet(host, rosters, request)
    return {
      provides: rosters,
      contacts: { seesPresence: (account: Jid, contact: Jid) => rosters.sees(contact, account) },
      iq: [
        { get: 'query', xmlns: NS_ROSTER, to: 'account', allow: 'self', reads: true, answer: get },
        { set: 'query', xmlns: NS_ROSTER, to: 'account', allow: 'self', answer: set },
      ],
      hooks: { 'iq:received': { admit: refuseForeignPush } },
      streamFeatures: [
        // RFC 6121 §2.6.1 and §3.4
        afterLogin('ver', NS_ROSTER_VERSION),
        afterLogin('sub', NS_PRE_APPROVAL),
      ],
      on: {
        'session:bound': ({ session }) => load(session),
        'account:removed': ({ account, number }) => tellContacts(account, number),
      },
      metrics: [
        {
          name: 'roster_cache_items',
          doc: 'Contacts held in memory',
          kind: 'gauge',
          read: () => rosters.cache.cost,
        },
      ],
      session: {
        save: (session) => savedInterest(rosters, session),
        restore: (session, saved) => restoreInterest(rosters, session, saved),
      },
      account: { forget },
      answers: { [PUSH]: (told) => rosters.pushes.heard(told as Told) },
      tasks: [{ name: 'pushes unheard', every: CATCH_UP, run: () => rosters.pushes.catchUp() }],
      remembers: {
        roster: {
          forget: (key) => rosters.cache.forget(Number(key)),
          forgetAll: () => rosters.forgetAll(),
        },
      },
    }

    /** So that it is at hand when presence needs it; nobody waits. */
    function load({ number }: Session): void {
      const roster = rosters.of(number)
      if (!(roster instanceof Promise)) return
      host.server.pending(roster.then(() => {}).catch((error) => host.failed('roster', error)))
    }

    async function tellContacts(account: Jid, number: number): Promise<void> {
      const roster = await rosters.of(number)
      const contacts = [...roster.items(), ...roster.requests()].map(({ contact }) => contact)
      for (const contact of new Set(contacts)) {
        for (const type of ['unsubscribe', 'unsubscribed']) {
          const stanza = Stanza.of(xml('presence', { type, id: rosters.quietId }))
          await host.router.send(stanza, { from: account, to: contact })
        }
      }
      rosters.cache.forget(number)
    }

    /** Contacts have heard already, unless a crash came between. Nothing of theirs waits for the next of that name (SEC-28). */
    async function forget({ number, jid }: Account, trx: Knex.Transaction): Promise<() => void> {
      const changed = [number]
      for (const account of await rosters.store.mentioning(trx, jid)) {
        const { store } = rosters
        const change = await store.change(trx, { account, contact: jid }, strangers)
        if (change.now !== change.before) changed.push(account)
      }
      await rosters.store.remove(trx, number)
      return () => {
        for (const account of changed) rosters.forget(account)
      }
    }
  },
})

function strangers(item: Item): Item {
  const stranger = { ...blankItem(item.contact), listed: item.listed, removed: item.removed }
  return { ...stranger, name: item.name, groups: item.groups }
}

function afterLogin(name: string, xmlns: string): StreamFeature {
  return {
    name: `roster ${name}`,
    accepts: [],
    advertise: (stream: NegotiatingStream) => (stream.account ? xml(name, xmlns) : undefined),
    negotiate() {},
  }
}

/** SEC-51: no client gets a roster push that is not of its own account, RFC 6121 §2.1.6. */
const refuseForeignPush: NonNullable<PhaseHandlers['admit']> = (envelope) => {
  const { stanza, to, from, origin } = envelope
  if (stanza.type !== 'set' || to.resource === '' || !stanza.hasNamespace(NS_ROSTER)) return
  if (origin === 'local' && from.equals(to.bare)) return
  throw new StanzaError('service-unavailable')
}
