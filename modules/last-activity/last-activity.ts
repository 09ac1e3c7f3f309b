// Last Activity: how long an account has been away and how long the host has been up. It is told to
// those who see the account's presence; to others the account is not there, for their own requests
// to its clients too (XEP-0012 §8). That somebody left is written with what others write meanwhile.

import type { Place } from '../../lib/cluster/directory.js'
import type { Later } from '../../lib/core/later.js'
import { defineModule, type IqRequest } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { type LastSeen, LastSeenStore, migrations } from './last-seen.js'

const NS_LAST = 'jabber:iq:last'
/** LIM-last-status: characters that are kept of what somebody said as they went */
const MOST_STATUS = 1000

const said = Symbol('status of the last unavailable presence')

export interface LastActivityApi {
  /** By the account's number; undefined where it was never here. */
  lastSeen(account: number): Promise<LastSeen | undefined>
}

export default defineModule<LastActivityApi>({
  name: 'last-activity',
  summary: 'Tells contacts how long somebody has been away',
  xeps: { 'XEP-0012': '2.0' },
  migrations,

  setup(host) {
    const store = new LastSeenStore(host.database)
    const started = host.clock.now()
    const question = { get: 'query', xmlns: NS_LAST, reads: true } as const
    return {
      provides: { lastSeen: (account) => store.read(account) },
      disco: { server: [NS_LAST], account: [NS_LAST] },
      iq: [
        { ...question, to: 'host', allow: 'anyone', answer: uptime },
        { ...question, to: 'account', allow: 'subscriber', answer: absence },
      ],
      hooks: {
        'iq:received': { admit: hideFromStrangers },
        'presence:sent': { record: remember },
      },
      on: { 'session:closed': ({ session }) => left(session) },
      account: { forget: ({ number }, trx) => store.remove(trx, number) },
    }

    function uptime(): Element {
      return answer(started)
    }

    // XEP-0012 §3: 0 while any resource is connected.
    async function absence({ to }: IqRequest): Promise<Element> {
      const places = await placesOf(to.bare.text)
      if (places.length > 0) return answer(host.clock.now())
      const account = await host.accounts?.lookup(to.local)
      const seen = account && (await store.read(account.number))
      if (!seen) throw new StanzaError('item-not-found', 'it was never here')
      return answer(seen.at, seen.status)
    }

    /** What is remembered may be wrong; here it would be said, or written. */
    function placesOf(account: string): Later<readonly Place[]> {
      host.server.directory.doubt(account)
      return host.server.directory.lookup(account)
    }

    function answer(since: number, status = ''): Element {
      const seconds = String(Math.max(0, Math.floor((host.clock.now() - since) / 1000)))
      return xml('query', { xmlns: NS_LAST, seconds }, status || undefined)
    }

    /** XEP-0012 §4: a request to a client reaches it only from those who see its presence. */
    function hideFromStrangers({ stanza, from, to }: Envelope): Promise<undefined> | undefined {
      if (stanza.type !== 'get' || to.resource === '' || !stanza.has('query', NS_LAST)) return
      const account = to.bare
      if (from.bare.equals(account)) return
      const sees = host.contacts?.seesPresence(account, from.bare) ?? false
      if (sees instanceof Promise) return sees.then(refuseUnless)
      refuseUnless(sees)
    }

    function remember({ stanza, addressed }: Envelope, { session }: Passage): void {
      if (addressed || stanza.type !== 'unavailable') return
      session?.memo.set(said, stanza.text('status')?.slice(0, MOST_STATUS))
    }

    async function left(session: Session): Promise<void> {
      const places = await placesOf(session.account.text)
      if (places.some((place) => place.id !== session.id)) return
      const account = await host.accounts?.lookup(session.account.local)
      // Of an account that was removed nothing may be written any more.
      if (account?.number !== session.number) return
      const status = (session.memo.get(said) as string | undefined) ?? ''
      const entry = host.journal.entry()
      store.write(entry, session.number, { at: host.clock.now(), status })
      await host.journal.commit(entry)
    }
  },
})

/** As to a stranger's request to the account itself. */
function refuseUnless(sees: boolean): undefined {
  if (!sees) throw new StanzaError('service-unavailable')
}
