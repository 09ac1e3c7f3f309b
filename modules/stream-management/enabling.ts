// `<enable/>` (XEP-0198 §3): from here on stanzas are counted in both directions. What the client may
// later rely on is on disk before it hears of it.

import type { Session } from '../../lib/core/session.js'
import type { Host } from '../../lib/core/host.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import type { Server } from '../../lib/core/server.js'
import { isUniqueViolation } from '../../lib/storage/database.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { ManagedSession } from './managed-session.js'
import { refusal } from './refusal.js'
import type { Registry } from './registry.js'
import { COUNTS, countsRow, SESSIONS } from './store.js'
import { enabled, failed } from './wording.js'

const SECOND = 1000
/** Numbers of sessions carry the time: rows of live ones lie together. */
const EPOCH = Date.UTC(2026, 0, 1)
const PER_MILLISECOND = 4096

export class Enabling {
  readonly #host: Host
  readonly #registry: Registry
  readonly #longest: number

  /** `longest` is how long a client may be away, in milliseconds. */
  constructor(host: Host, registry: Registry, longest: number) {
    this.#host = host
    this.#registry = registry
    this.#longest = longest
  }

  async enable(element: Element, stream: NegotiatingStream): Promise<void> {
    const session = stream.session as Session | undefined
    if (!session) {
      stream.send(failed('unexpected-request'))
      return
    }
    if (session.keeper) {
      stream.send(failed('unexpected-request'))
      throw new StreamError('policy-violation', 'this stream is managed')
    }
    const answer = await this.begin(element, session)
    stream.send(answer.element)
    answer.begin?.()
  }

  /** Stanzas that came before are not counted; those that come from now on are. */
  async begin(
    element: Element,
    session: Session,
  ): Promise<{ element: Element; begin?: () => void }> {
    await session.drained()
    let managed: ManagedSession
    try {
      managed = await this.#make(element, session)
    } catch (error) {
      return { element: refusal(error, this.#host) }
    }
    if (session.closed || session.leaving) {
      managed.rows.save(this.#host.clock.now())
      return { element: failed('unexpected-request') }
    }
    managed.acknowledged.beginAfter(session.position.newest)
    session.keep(managed, 0)
    this.#registry.add(managed)
    const { id, timeout } = managed.terms
    const resumable = timeout > 0 ? { id, seconds: Math.floor(timeout / SECOND) } : undefined
    return { element: enabled(resumable), begin: () => managed.begin() }
  }

  /** With its rows. Another node may have given its number in this millisecond, but hardly twice. */
  async #make(element: Element, session: Session, again = true): Promise<ManagedSession> {
    const terms = { ...this.#terms(element), position: await this.#newest(session) }
    const managed = new ManagedSession(session, this.#registry, terms)
    try {
      await this.#write(managed)
    } catch (error) {
      if (again && isUniqueViolation(error)) return this.#make(element, session, false)
      throw error
    }
    return managed
  }

  /** In the log of its account: what comes later is owed to it, whatever the clock says. */
  async #newest({ number: owner }: Session): Promise<number> {
    const newest = { owner, flags: 0, backwards: true, limit: 1 }
    const { messages } = await this.#host.messages.page(newest)
    return messages[0]?.id ?? 0
  }

  #terms({ attrs }: Element) {
    const number = numberFor(this.#host)
    const created = this.#host.clock.now()
    return {
      number,
      id: `${number.toString(36)}-${this.#host.random.id()}`,
      created,
      timeout: isTrue(attrs.resume) ? Math.min(this.#longest, readMax(attrs.max)) : 0,
    }
  }

  #write(managed: ManagedSession): Promise<void> {
    const { journal } = this.#host
    const { number, position } = managed.terms
    const entry = journal.entry()
    entry.insert(SESSIONS, managed.rows.row())
    entry.insert(COUNTS, countsRow(number, { handled: 0, position, requests: '' }))
    return journal.commit(entry)
  }
}

/** All hosts of a server number their sessions together; where others begin, it does not know. */
const serials = new WeakMap<Server, number>()

function numberFor({ server, random, clock }: Host): number {
  const last = serials.get(server) ?? random.bytes(2).readUInt16BE()
  const serial = (last + 1) % PER_MILLISECOND
  serials.set(server, serial)
  const elapsed = Math.max(1, clock.now() - EPOCH)
  return elapsed * PER_MILLISECOND + serial
}

/** The number of a session, from an id of ours; NaN for anything else. */
export function numberIn(id: string): number {
  const [number = ''] = id.split('-', 1)
  return /^[0-9a-z]{1,11}$/.test(number) ? Number.parseInt(number, 36) : Number.NaN
}

/** XML Schema part 2, §3.2.2 */
function isTrue(text: unknown): boolean {
  return text === 'true' || text === '1'
}

/** §3: what the client prefers, where it says something that can be meant. */
function readMax(text: unknown): number {
  const seconds = /^\d{1,9}$/.test(String(text)) ? Number(text) : 0
  return seconds > 0 ? seconds * SECOND : Number.POSITIVE_INFINITY
}
