// A session that outlived its process. On disk are its counts, up to where its client has the message
// log, and what modules remember; the messages that it is owed are in the log. For everything else the
// present state stands in: modules see to theirs, and requests that nobody answers any more end in
// errors, so that no client waits for ever.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { Lost } from '../../lib/core/mourning.js'
import type { Session } from '../../lib/core/session.js'
import { numberAt } from '../../lib/storage/logged-message.js'
import { xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { errorElement } from '../../lib/xmpp/replies.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { Claims } from './claims.js'
import { beyond, onWire } from './counts.js'
import { numberIn } from './enabling.js'
import { ON_THE_WAY } from './acknowledged.js'
import { ManagedSession, type ManagedTerms } from './managed-session.js'
import { memberIn, type Registry } from './registry.js'
import { type OpenRequest, readRequests } from './requests.js'
import { lastHeard, type SessionStore, type StoredSession } from './store.js'
import { readDown, type WrittenDown } from './written-down.js'

interface Parts {
  readonly store: SessionStore
  /** Ends a session whose account has ended */
  recheck(session: Session): Promise<void>
}

export class Restoring {
  readonly #host: Host
  readonly #registry: Registry
  readonly #store: SessionStore
  readonly #claims: Claims
  readonly #recheck: Parts['recheck']
  readonly #started: number

  constructor(host: Host, registry: Registry, { store, recheck }: Parts) {
    this.#host = host
    this.#registry = registry
    this.#store = store
    this.#claims = new Claims(host.database)
    this.#recheck = recheck
    this.#started = host.clock.now()
  }

  /** The account's own that it could resume, whatever has become of it. */
  async find(previd: string, account: Account): Promise<StoredSession | undefined> {
    const found = await this.#store.find(numberIn(previd))
    if (!found || found.id !== previd || found.account !== account.number) return undefined
    return found.timeout > 0 ? found : undefined
  }

  /** Of its row; 0 where that is another life's, or is gone. */
  async versionHere(id: string): Promise<number> {
    const found = await this.#store.find(numberIn(id))
    return found?.life === this.#registry.life ? found.version : 0
  }

  /** Whether a session of a life that is over may be taken up yet, or is just being made again. */
  async awaits({ jid, number, life }: Lost): Promise<boolean> {
    const now = this.#host.clock.now()
    const found = await this.#store.positions([number])
    return found.some(
      (one) =>
        one.resource === jid.resource &&
        now - lastHeard(one) < one.timeout &&
        (memberIn(one.life).life === life || one.detached > 0),
    )
  }

  /** Nobody else makes it again, or writes it. Undefined where somebody was first. */
  async claim(found: StoredSession): Promise<StoredSession | undefined> {
    const { life } = this.#registry
    const detached = found.detached > 0 ? found.detached : this.#host.clock.now()
    const claimed = await this.#claims.claim(found, { life, detached })
    return claimed ? { ...found, detached, version: found.version + 1 } : undefined
  }

  /** Whether it may go on, from what its client says that it has. */
  isLost(found: StoredSession, h: number, justNow: boolean): boolean {
    if (found.ended > 0 || (!justNow && this.#isOver(found))) return true
    const down = writtenDown(found, h)
    return down !== undefined && beyond(h, down.acknowledged) < 0
  }

  /** What was claimed, without a stream; undefined where there is no place for it. */
  async restore(
    found: StoredSession,
    account: Account,
    h: number,
  ): Promise<ManagedSession | undefined> {
    let managed: ManagedSession | undefined
    const session = await this.#session(found, account, (made) => {
      managed = this.#keep(made, found, h)
    })
    if (!session || !managed) {
      await this.#store.end(found, this.#host.clock.now())
      return undefined
    }
    await this.#registry.restore(session, found.state)
    await this.#host.sessions.place(session)
    // What follows was sent everything up to there.
    if (session.position.follows)
      session.position.caughtUp(this.#after(found, readDown(found.owed)))
    managed.restoring = false
    // Until it was in the list nobody could end it with its account.
    await this.#recheck(session)
    return managed
  }

  /** One of this life that was let go and that nobody has made again. */
  async back(id: string, account: Account): Promise<void> {
    const found = await this.find(id, account)
    if (!found || found.ended > 0 || found.life !== this.#registry.life) return
    if (this.#registry.find(id)) return
    const claimed = await this.claim(found)
    const down = readDown(found.owed)
    if (claimed && down) await this.restore(claimed, account, onWire(down.acknowledged))
  }

  /** Before anything is written to it. */
  #keep(session: Session, found: StoredSession, h: number): ManagedSession {
    const down = writtenDown(found, h)
    const after = this.#after(found, down)
    const position = Math.max(found.position, after)
    const acknowledged = down?.acknowledged ?? h
    const managed = this.#managed({ ...found, position, acknowledged }, session)
    session.keep(managed, found.handled)
    this.#registry.add(managed)
    managed.owe(down, after)
    const open = readRequests(found.requests)
    if (down?.luggage) managed.requests.goOn(open)
    else for (const request of open) session.write(this.#given(request, session))
    return managed
  }

  /**
   * Of the log it is given what comes after this. A message of another node may have been on its way to
   * the one that died when its client went.
   */
  #after(found: StoredSession, down: WrittenDown | undefined): number {
    const { position, created, detached, life } = found
    const after = down?.after ?? position
    if (detached === 0 || down?.luggage || !this.#hasOthers(life)) return after
    const certain = Math.max(numberAt(detached - ON_THE_WAY), numberAt(created))
    return Math.min(after, Math.max(certain, down?.read ?? 0))
  }

  #hasOthers(life: string): boolean {
    const { whereabouts, members, node } = this.#host.server
    return whereabouts !== undefined && (members.all().length > 1 || memberIn(life).node !== node)
  }

  #managed(terms: ManagedTerms, session: Session): ManagedSession {
    const managed = new ManagedSession(session, this.#registry, terms)
    managed.restoring = true
    // Until a stream takes it, its absence goes on.
    managed.detached = this.#host.clock.now()
    this.#registry.list(managed)
    return managed
  }

  /** Since it was last heard of; time in which there was no server does not count. */
  #isOver(found: StoredSession): boolean {
    const since = Math.max(lastHeard(found), this.#started)
    return this.#host.clock.now() - since >= found.timeout
  }

  /** Undefined where somebody has its address by now, or takes it. */
  async #session(
    { resource, owed }: StoredSession,
    account: Account,
    keep: (session: Session) => void,
  ): Promise<Session | undefined> {
    const left = readDown(owed)?.luggage?.place
    if (await this.#isTaken(account.jid, resource, left)) return undefined
    try {
      const session = await this.#host.sessions.restore(account, resource, keep)
      return session.closed || session.leaving ? undefined : session
    } catch (error) {
      if (error instanceof StanzaError) return undefined
      throw error
    }
  }

  /** Whoever binds an address anew has it, on whatever node; not what was left when it was let go. */
  async #isTaken(jid: Jid, resource: string, left: string | undefined): Promise<boolean> {
    const { directory, node, members } = this.#host.server
    // Of before it was let go: it would stand in its own way.
    directory.doubt(jid.text)
    const places = await directory.lookup(jid.text)
    const others = places.filter((place) => place.node !== node && members.lifeOf(place.node))
    const there = others.filter((place) => place.resource === resource)
    if (left !== undefined && there.some(({ id }) => id === left))
      await directory.remove(jid.text, left)
    return there.some(({ id }) => id !== left)
  }

  /** A request whose answer, if there was one, has been lost. */
  #given({ id, to }: OpenRequest, { account, jid }: Session): Envelope {
    const text = 'the server was started again before the answer had arrived'
    const error = new StanzaError('internal-server-error', text, { type: 'wait' })
    return new Envelope({
      stanza: Stanza.of(xml('iq', { type: 'error', id }, errorElement(error))),
      from: to === '' ? account : Jid.parse(to),
      to: jid,
      origin: 'local',
      arrived: this.#host.clock.now(),
    })
  }
}

/** Nothing where its client has more than that: then it was written to since. */
function writtenDown({ owed }: StoredSession, h: number): WrittenDown | undefined {
  const down = readDown(owed)
  return down && beyond(h, down.acknowledged) <= down.written.length ? down : undefined
}
