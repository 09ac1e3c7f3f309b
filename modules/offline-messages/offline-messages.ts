// Offline messages (XEP-0160). What comes for an account while none of its sessions takes messages is in
// the message log: here it is seen to that it gets there, also where no archive keeps it, and that the
// next client gets it. There is no queue: a client that comes is behind, and comes to everything after
// the account's cursor by itself. Clients that read the archive get what no archive has.

import { tellTaken } from '../../lib/core/chores.js'
import type { Place } from '../../lib/cluster/directory.js'
import { defineModule } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { integer } from '../../lib/ops/options.js'
import { isDurable } from '../../lib/xmpp/message-traits.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import accounts from '../accounts/accounts.js'
import { priorityOf } from '../presence/priority.js'
import presence from '../presence/presence.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import roster from '../roster/roster.js'
import { ArchiveReaders, migrations } from './archive-readers.js'
import { Backlogs } from './backlogs.js'
import { clean, cleanApart } from './cleaning.js'
import { giveBack } from './giving-back.js'
import { Owed } from './owed.js'

const CLEANING = 10 * 60_000

export default defineModule({
  name: 'offline-messages',
  summary: 'Keeps messages for those who are away and delivers them when they come',
  xeps: { 'XEP-0160': '1.0.1', 'XEP-0203': '2.0' },
  requires: [accounts, presence, roster],
  config: {
    most: integer({
      default: 1000,
      min: 1,
      max: 100_000,
      doc: 'Most messages that wait for one account and that no archive keeps',
    }),
  },
  migrations,

  setup(host) {
    const readers = new ArchiveReaders(host.database)
    const backlogs = new Backlogs(host, readers)
    const owed = new Owed(host, host.config.most)

    return {
      disco: { server: ['msgoffline'] },
      hooks: {
        'message:received': { record: keep },
        'presence:sent': { record: announce },
        'iq:received': { admit: notice },
      },
      on: {
        'session:bound': ({ session }) => session.position.part(),
        'session:presence': ({ session }) => changed(session),
        'session:unavailable': ({ session }) => left(session),
        'session:closed': ({ session }) => giveBack(session),
        'session:moving': ({ session }) => backlogs.surrender(session),
        'session:moved': ({ session }) => moved(session),
      },
      session: {
        save: ({ position: { follows, apart } }) => (follows ? { follows } : { follows, apart }),
        restore: ({ position }, saved) => {
          const { follows, apart = [] } = (saved ?? {}) as { follows?: boolean; apart?: number[] }
          if (follows) return
          position.part()
          for (const id of apart) position.hadBefore(id)
        },
      },
      tasks: [{ name: 'ended messages', every: CLEANING, run: cleanUp }],
      account: { forget: ({ number }, trx) => readers.forget(number, trx) },
      close: () => {
        backlogs.close()
        return cleanApart(host.messages, host.server.taken)
      },
    }

    async function cleanUp(): Promise<void> {
      await clean(host.messages)
      await cleanApart(host.messages, host.server.taken)
    }

    // Messages

    /** XEP-0160 §3: chat and normal messages of which something is left when they are late. */
    function keep({ stanza, to }: Envelope, passage: Passage): Later<void> {
      if (to.local === '' || stanza.type === 'error' || !isDurable(stanza)) return
      return whenKnown(host.server.directory.lookup(to.bare.text), (places) => {
        holdElsewhere(places, to, passage)
        const takers = places.filter((place) => takes(place, to))
        if (takers.length > 0) {
          // Who was promised that nothing is lost must not lose what a stream was just given.
          if (passage.session?.keeper || !takers.every(isSteady) || areUnknown()) passage.keep(0)
          return undefined
        }
        // RFC 6121 §8.5.3.2.1: to a resource that is not there only chat goes on to the others.
        return to.isBare || stanza.type === 'chat' ? owed.keep(stanza, passage) : undefined
      })
    }

    /** What is for a device of another node by name the account's devices here must not pass either. */
    function holdElsewhere(places: readonly Place[], to: Jid, passage: Passage): void {
      const [session] = to.isBare ? [] : host.sessions.of(to.bare)
      const named = session && places.find(({ resource }) => resource === to.resource)
      if (!named || named.node === host.server.node) return
      passage.after(() => {
        const { id = 0 } = passage.kept ?? {}
        if (id > 0) host.server.taken.oweElsewhere(session.number, id, to.resource)
      })
    }

    /** Devices on other nodes are not to be seen now, and read what is for them in the log. */
    function areUnknown(): boolean {
      return host.server.members.cutOff
    }

    /**
     * Written is all that can be known. Elsewhere a place may be gone; whoever is behind gets things in
     * order from the log; and what a managed client has not acknowledged is owed to it, or to the next
     * one, whatever ends meanwhile.
     */
    function isSteady(place: Place): boolean {
      const session = host.sessions.inPlace(place)
      return session?.stream !== undefined && !session.behind && !session.keeper
    }

    // Sessions

    /** Before it is available: from then on nothing may pass it by. */
    function announce({ stanza, addressed }: Envelope, { session }: Passage): void {
      if (!session || addressed || stanza.type !== '') return
      if (priorityOf(stanza) < 0) return
      // One that came back after a crash before it was given everything does not follow.
      if (!wants(session) || !session.position.follows) backlogs.await(session)
    }

    /** RFC 6121 §8.5.2.2.1: a negative priority takes what is for the resource, nothing else. */
    function changed(session: Session): void {
      if (!wants(session)) left(session)
      else if (backlogs.awaits(session)) {
        owed.forget(session.number)
        host.server.pending(backlogs.begin(session))
      }
    }

    function left(session: Session): void {
      backlogs.end(session)
      session.position.part()
      session.changed()
      // Another node may be where it comes back.
      host.journal.hurry()
      tellTaken(host.server, session.number)
    }

    /** What it alone is owed is another node's affair now. */
    function moved(session: Session): void {
      backlogs.forget(session)
      host.server.taken.leave(session.number, session.resource)
    }

    /** Who was refused has read nothing. */
    function notice({ stanza, from, to }: Envelope, passage: Passage): void {
      const { session } = passage
      if (!session || !readers.isReading(stanza) || !from.bare.equals(to)) return
      passage.after(() => {
        const noted = readers.note(session, host.clock.now())
        if (noted)
          host.server.pending(noted.catch((error) => host.failed('offline-messages', error)))
      })
    }
  },
})

function wants(place: Place): boolean {
  return place.available && place.priority >= 0
}

/** RFC 6121 §8.5.3.1: a full address takes its own, whatever its priority. */
function takes(place: Place, to: Jid): boolean {
  return wants(place) || (!to.isBare && place.resource === to.resource)
}
