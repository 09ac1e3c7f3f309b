// Availability of sessions (RFC 6121 §4.2 to §4.6): who hears that a session came, changed or went.
// A presence is one stanza with a head per recipient. Contacts of this server that have no available
// session are left out: nobody would get it. Modules have their say on the recipient's side, because
// every copy takes the ordinary road through the router.

import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'
import { xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Place } from '../../lib/cluster/directory.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import type { Roster } from '../roster/roster-cache.js'
import type { RosterApi } from '../roster/roster.js'
import { clearDirected, directedOf } from './directed.js'
import { priorityOf } from './priority.js'
import type { RollCall } from './roll-call.js'

const unavailable = Stanza.of(xml('presence', { type: 'unavailable' }))

interface Ways {
  /** To one contact */
  send(contact: Jid): void
  /** To many on all nodes */
  call(contacts: readonly Jid[]): void
}

export class Availability {
  readonly #host: Host
  readonly #rollCall: RollCall
  readonly #rosters: RosterApi
  #last: { stanza: Stanza; quiet: Stanza } | undefined

  constructor(host: Host, rosters: RosterApi, rollCall: RollCall) {
    this.#host = host
    this.#rosters = rosters
    this.#rollCall = rollCall
  }

  /** §4.2.2, §4.4.2 */
  came(session: Session, envelope: Envelope): Later<void> {
    const first = !session.available
    session.presence = envelope
    session.priority = priorityOf(envelope.stanza)
    session.changed()
    return this.#published(session, (roster) => {
      if (session.presence !== envelope || session.closed) return
      if (first) this.#doubt(roster)
      this.#broadcast(session.jid, envelope.stanza, roster)
      const arrived = first ? this.#arrived(session, roster) : undefined
      const shown = this.#emit('session:presence', session)
      // From where it is owed messages is known before this presence counts as handled.
      return whenKnown(arrived, () => shown)
    })
  }

  /** A session is back with the presence that it had: who was told that it is gone hears the contrary. */
  returned(session: Session, envelope: Envelope): Later<void> {
    session.presence = envelope
    session.priority = priorityOf(envelope.stanza)
    return this.#published(session, (roster) => {
      if (session.presence !== envelope || session.closed) return
      this.#clear(session, roster)
      this.#doubt(roster)
      this.#broadcast(session.jid, envelope.stanza, roster)
      this.#lookAround(session, roster)
    })
  }

  /**
   * XEP-0198 §5: who went while there was no server has told nobody. What its client knew of anybody is
   * over (RFC 6121 §4.3.2), and those who are there are shown to it again.
   */
  #clear(session: Session, roster: Roster): void {
    const arrived = this.#host.clock.now()
    const common = { stanza: unavailable, to: session.jid, origin: 'local', arrived } as const
    for (const from of [session.account, ...roster.sees])
      session.write(new Envelope({ ...common, from }))
  }

  /** §4.5.2 */
  left(session: Session, stanza: Stanza): Later<void> {
    const seen = session.available
    const directed = [...directedOf(session).values()]
    session.presence = undefined
    session.priority = 0
    clearDirected(session)
    session.changed()
    return this.#published(session, (roster) => {
      if (seen) this.#broadcast(session.jid, stanza, roster)
      // §4.5.2: the resource itself hears it too, though it is not available any more.
      if (seen && !session.closed) this.#send(stanza, session.jid, session.jid)
      for (const to of directed) {
        const told = seen && roster.seenBy.some((contact) => contact.equals(to.bare))
        if (!told) this.#send(stanza, session.jid, to)
      }
      if (seen) this.#emit('session:unavailable', session)
    })
  }

  /** §4.5.2: the server says it where the client could not. */
  closed(session: Session): Later<void> {
    if (!session.available && directedOf(session).size === 0) return undefined
    return this.left(session, unavailable)
  }

  /** The same for one whose node could not say so either. */
  lost(jid: Jid, number: number): Later<void> {
    return whenKnown(this.#rosters.of(number), (roster) =>
      this.#broadcast(jid, unavailable, roster),
    )
  }

  /** §3.1.5: who sees the account from now on is shown it. */
  show(account: Jid, contact: Jid): void {
    this.#ofEach(account, (place) => this.ask(place, this.#question(contact, account)))
  }

  /** §3.2.2, §3.3.3: who does not see it any more is told that it is gone. */
  hide(account: Jid, contact: Jid): void {
    this.#ofEach(account, ({ resource }) => {
      this.#send(unavailable, account.withResource(resource), contact)
    })
  }

  /** Each available session, on whatever node. */
  #ofEach(account: Jid, use: (place: Place) => void): void {
    whenKnown(this.#host.server.directory.lookup(account.text), (places) => {
      for (const place of places) if (place.available) use(place)
    })
  }

  /** §4.3.2: from one session. */
  answerProbe(session: Session, to: Jid): void {
    if (session.presence) this.#send(session.presence.stanza, session.jid, to)
  }

  #published(session: Session, then: (roster: Roster) => Later<void>): Later<void> {
    const put = session.closed
      ? undefined
      : this.#host.server.directory.put(session.account.text, session)
    return whenKnown(put, () => whenKnown(this.#rosters.of(session.number), then))
  }

  #broadcast(jid: Jid, stanza: Stanza, roster: Roster): void {
    // §4.2.2: every resource of the account, this one included.
    this.#send(stanza, jid, jid.bare)
    this.#toEach(roster.seenBy, {
      send: (contact) => this.#send(stanza, jid, contact),
      call: (contacts) => this.#rollCall.say(stanza, jid, contacts),
    })
  }

  /** Those of this server are looked for, or called. */
  #toEach(contacts: readonly Jid[], { send, call }: Ways): void {
    const { hosts } = this.#host.server
    const ours = contacts.filter(({ domain }) => hosts.has(domain))
    const calls = this.#rollCall.suits(ours)
    if (calls) call(ours)
    for (const contact of contacts)
      if (!calls || !hosts.has(contact.domain)) this.#whereReached(contact, () => send(contact))
  }

  /** Two who were both away: no node has heard since of where the other is now. */
  #doubt({ seenBy, sees }: Roster): void {
    const { directory, hosts } = this.#host.server
    for (const contacts of [seenBy, sees])
      for (const { domain, text } of contacts) if (hosts.has(domain)) directory.doubt(text)
  }

  #arrived(session: Session, roster: Roster): Later<void> {
    this.#lookAround(session, roster)
    return this.#emit('session:available', session)
  }

  #lookAround(session: Session, roster: Roster): void {
    this.#askOwn(session)
    this.#toEach(roster.sees, {
      send: (contact) => this.#probe(session, contact),
      call: (contacts) => this.#rollCall.say(this.#probeStanza(), session.jid, contacts),
    })
    this.#deliverRequests(session, roster)
  }

  /** A session sees the account's other sessions as a contact would. */
  #askOwn(session: Session): void {
    const question = this.#question(session.jid, session.account)
    this.#ofEach(session.account, (place) => {
      if (place.id !== session.id) this.ask(place, question)
    })
  }

  /** Has one session, wherever it is, answer a probe. */
  ask(place: Place, probe: Envelope): void {
    const { server, sessions } = this.#host
    const session = sessions.byId(place.id)
    if (session) this.answerProbe(session, probe.from)
    else if (place.node !== server.node) server.writeElsewhere(place, probe)
  }

  #question(from: Jid, to: Jid): Envelope {
    const arrived = this.#host.clock.now()
    return new Envelope({ stanza: this.#probeStanza(), from, to, origin: 'local', arrived })
  }

  /** §4.3.1. Here the answer is for this session alone; elsewhere only accounts are known. */
  #probe(session: Session, contact: Jid): void {
    const here = this.#host.server.hosts.has(contact.domain)
    this.#send(this.#probeStanza(), here ? session.jid : session.account, contact)
  }

  #probeStanza(): Stanza {
    return Stanza.of(xml('presence', { type: 'probe', id: this.#rosters.quietId }))
  }

  /** §3.1.3: until it is answered, a request is shown at every login. */
  #deliverRequests(session: Session, roster: Roster): void {
    for (const { contact, request } of roster.requests()) {
      session.write(
        new Envelope({
          stanza: Stanza.parse(request),
          from: contact,
          to: session.account,
          origin: 'local',
          arrived: this.#host.clock.now(),
        }),
      )
    }
  }

  #whereReached(contact: Jid, send: () => void): void {
    const { server } = this.#host
    if (!server.hosts.has(contact.domain)) {
      send()
      return
    }
    whenKnown(server.directory.lookup(contact.text), (places) => {
      if (places.some(isAvailable)) send()
    })
  }

  /** Errors from elsewhere to what the user did not send there are known by the id. */
  #send(stanza: Stanza, from: Jid, to: Jid): void {
    const { hosts, domains } = this.#host.server
    const here = hosts.has(to.domain) || domains.has(to.domain)
    this.#host.router.send(here ? stanza : this.#quiet(stanza), { from, to })
  }

  #quiet(stanza: Stanza): Stanza {
    if (this.#last?.stanza === stanza) return this.#last.quiet
    const quiet = stanza.with({ id: this.#rosters.quietId })
    this.#last = { stanza, quiet }
    return quiet
  }

  #emit(
    name: 'session:available' | 'session:presence' | 'session:unavailable',
    session: Session,
  ): Later<void> {
    return this.#host.server.pending(this.#host.events.emit(name, { session }))
  }
}

function isAvailable(place: Place): boolean {
  return place.available
}
