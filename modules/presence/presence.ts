// Presence (RFC 6121 §3 and §4): subscriptions, availability, probes, presence sent to somebody by
// name. Which state follows from which stanza is the roster's; who gets what is here. Delivery
// itself stays with the core: every copy takes the ordinary road, so other modules have their say.

import { defineModule } from '../../lib/core/module.js'
import { handled, type Handled, type Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { type Wire, xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import roster from '../roster/roster.js'
import { isSubscriptionType } from '../roster/subscriptions.js'
import { Availability } from './availability.js'
import { addDirected, checkDirected, directedOf, removeDirected } from './directed.js'
import { priorityOf } from './priority.js'
import { ROLL, type Roll, RollCall } from './roll-call.js'
import { SEEN, type Seen, Subscribing } from './subscribing.js'

/** What is left of a session's presence where only the disk is left. */
interface SavedPresence {
  readonly stanza?: Wire
  readonly arrived: number
  readonly directed: readonly string[]
}

function savedPresence(session: Session): SavedPresence {
  const { presence } = session
  const directed = [...directedOf(session).keys()]
  if (!presence) return { arrived: 0, directed }
  return { stanza: presence.stanza.render('', ''), arrived: presence.arrived, directed }
}

export interface PresenceApi {
  /** Addresses that the session announced itself to by name, rooms included. */
  directed(session: Session): readonly Jid[]
}

export default defineModule<PresenceApi>({
  name: 'presence',
  summary: 'Who is available, and who may see it',
  requires: [roster],

  setup(host) {
    const rosters = host.use(roster)
    const rollCall = new RollCall(host)
    const availability = new Availability(host, rosters, rollCall)
    const subscribing = new Subscribing(host, rosters, availability)

    return {
      answers: {
        [SEEN]: (seen) => subscribing.heard(seen as Seen),
        [ROLL]: (roll) => rollCall.heard(roll as Roll),
      },
      provides: { directed: (session) => [...directedOf(session).values()] },
      hooks: {
        'presence:sent': { admit: check, amend: stamp, record, deliver: broadcast },
        'presence:received': {
          admit: dropErrors,
          amend: stampReceived,
          record: recordReceived,
          deliver: deliverReceived,
          copy: copyReceived,
        },
        'session:write': { admit: answerHere },
      },
      on: {
        'session:closed': async ({ session }) => availability.closed(session),
        'session:lost': async ({ jid, number }) => availability.lost(jid, number),
        'roster:audience': showOrHide,
      },
      session: { save: (session) => savedPresence(session), restore },
    }

    /** After a crash contacts know nothing of it, nor it of them. */
    function restore(session: Session, saved: unknown): Later<void> {
      const known = saved as SavedPresence | undefined
      for (const to of known?.directed ?? []) addDirected(session, Jid.parse(to))
      if (known?.stanza === undefined) return undefined
      const { stanza: text, arrived } = known
      const addresses = { from: session.jid, to: session.account }
      const stanza = Stanza.parse(text)
      const envelope = new Envelope({ stanza, ...addresses, origin: 'client', arrived })
      return availability.returned(session, envelope.with({ addressed: false }))
    }

    // Sent by a client of ours

    function check(envelope: Envelope, passage: Passage): Later<void | undefined> {
      const { stanza, addressed, to } = envelope
      if (isSubscriptionType(stanza.type)) return subscribing.checkSent(envelope, passage)
      if (stanza.type === '') {
        if (addressed) checkDirected(passage.session!, to)
        else priorityOf(stanza)
      } else if (stanza.type === 'probe' && !addressed) {
        throw new StanzaError('bad-request', 'a probe names a contact')
      }
      return undefined
    }

    function stamp(envelope: Envelope, passage: Passage): Later<Envelope | undefined> {
      if (!isSubscriptionType(envelope.stanza.type)) return undefined
      return subscribing.stampSent(envelope, passage)
    }

    function record(envelope: Envelope, passage: Passage): Later<void> {
      const { stanza, addressed, to } = envelope
      if (isSubscriptionType(stanza.type)) return subscribing.recordSent(envelope, passage)
      // §4.6.3. Before the delivery, which may fail: then the answer takes it back.
      if (addressed && stanza.type === '') addDirected(passage.session!, to)
      if (addressed && stanza.type === 'unavailable') removeDirected(passage.session!, to)
    }

    function broadcast(envelope: Envelope, passage: Passage): Later<Handled> {
      const { stanza } = envelope
      if (isSubscriptionType(stanza.type)) return subscribing.finishSent(envelope)
      const session = passage.session!
      if (stanza.type === '') return whenKnown(availability.came(session, envelope), () => handled)
      if (stanza.type !== 'unavailable') return handled
      return whenKnown(availability.left(session, stanza), () => handled)
    }

    // Received by an account of ours

    /** Errors to what the server sent in the user's name end here; §4.6.3 for what the user sent. */
    function dropErrors({ stanza, from, to }: Envelope): Handled | undefined {
      if (stanza.type !== 'error') return undefined
      if (stanza.id === rosters.quietId) return handled
      const session = to.resource === '' ? undefined : host.sessions.find(to)
      if (session) removeDirected(session, from)
      return undefined
    }

    function stampReceived(envelope: Envelope): Envelope | undefined {
      if (!isSubscriptionType(envelope.stanza.type)) return undefined
      return subscribing.stampReceived(envelope)
    }

    function recordReceived(envelope: Envelope, passage: Passage): Later<void> {
      if (!isSubscriptionType(envelope.stanza.type)) return undefined
      return subscribing.recordReceived(envelope, passage)
    }

    function deliverReceived(envelope: Envelope, { here }: Passage): Later<Handled | undefined> {
      if (isSubscriptionType(envelope.stanza.type)) return subscribing.deliverReceived(envelope)
      return envelope.stanza.type === 'probe' ? probed(envelope, here) : undefined
    }

    function copyReceived(envelope: Envelope, passage: Passage): void {
      if (isSubscriptionType(envelope.stanza.type)) subscribing.copyReceived(envelope, passage)
    }

    /** RFC 6121 §4.3.2 */
    function probed(envelope: Envelope, here: boolean): Later<Handled> {
      const account = envelope.to.bare
      const asker = envelope.from.bare
      const sees = asker.equals(account) || rosters.sees(asker, account)
      return whenKnown(sees, (may) => {
        if (may) return here ? answerFromHere(envelope) : answer(envelope)
        reply('unsubscribed', { from: account, to: asker })
        return handled
      })
    }

    /** The other nodes answer for theirs. */
    function answerFromHere(probe: Envelope): Handled {
      for (const session of host.sessions.of(probe.to.bare))
        availability.answerProbe(session, probe.from)
      return handled
    }

    function answer(probe: Envelope): Later<Handled> {
      const account = probe.to.bare
      return whenKnown(host.server.directory.lookup(account.text), (places) => {
        const available = places.filter((place) => place.available)
        for (const place of available) availability.ask(place, probe)
        if (available.length === 0) reply('unavailable', { from: account, to: probe.from })
        return handled
      })
    }

    function reply(type: string, addresses: { from: Jid; to: Jid }): void {
      host.router.send(Stanza.of(xml('presence', { type })), addresses)
    }

    /** A probe that another node has let through ends at its session: clients get none. */
    function answerHere(envelope: Envelope, passage: Passage): Handled | undefined {
      if (envelope.stanza.kind !== 'presence' || envelope.stanza.type !== 'probe') return undefined
      availability.answerProbe(passage.session!, envelope.from)
      return handled
    }

    // After a change of the roster

    /** Who may see us from now on has to hear of that first. */
    function showOrHide(change: { account: Jid; contact: Jid; sees: boolean }): void {
      const { account, contact, sees } = change
      if (!sees) {
        availability.hide(account, contact)
        return
      }
      const shown = new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
        availability.show(account, contact),
      )
      host.server.pending(shown.catch((error) => host.failed('presence', error)))
    }
  },
})
