// The way of a client that comes: from the moment at which it announces itself it is behind, so that
// what is live waits in the log; when everybody knows that it is there, it is given what it is owed, in
// order, and then follows. Which messages were there before it came is told by the first that it missed.

import type { Host } from '../../lib/core/host.js'
import { MOST_BUFFERED } from '../../lib/core/long-answers.js'
import type { Session } from '../../lib/core/session.js'
import { INCOMING, KEPT, RETRACTED, momentOf } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { delayed } from '../../lib/xmpp/delay.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { isDurable } from '../../lib/xmpp/message-traits.js'
import type { ArchiveReaders } from './archive-readers.js'
import { Backlog } from './backlog.js'

/** How long to wait before looking again whether a slow reader takes more, or is back */
const PAUSE = 100
const ABSENCE = 2000
/** How long until what could not be read is asked for again */
const AGAIN = 1000

export class Backlogs {
  readonly #host: Host
  readonly #readers: ArchiveReaders
  readonly #waiting = new Map<Session, Backlog>()

  constructor(host: Host, readers: ArchiveReaders) {
    this.#host = host
    this.#readers = readers
  }

  /** It is about to come: what is for it waits in the log. */
  await(session: Session): void {
    // Somebody else has it catch up: it has had a presence before.
    if (session.behind) return
    const waiting = new Backlog(session, Number.MAX_SAFE_INTEGER, { flags: 0, room: () => false })
    session.behind = waiting
    this.#waiting.set(session, waiting)
  }

  awaits(session: Session): boolean {
    return this.#waiting.has(session)
  }

  /** It is there: no message is decided any more without it. Never rejects. */
  async begin(session: Session): Promise<void> {
    const waiting = this.#waiting.get(session)
    if (!waiting) return
    try {
      const known = await this.#known(session)
      if (session.behind === waiting) this.#follow(session, waiting, known)
      this.#begun(session, waiting)
    } catch (error) {
      this.#host.failed('offline-messages', error)
      // What is for it waits in the log until it is known where it stands.
      this.#host.clock.after(AGAIN, () => {
        if (this.#waiting.get(session) === waiting && !session.closed)
          this.#host.server.pending(this.begin(session))
      })
    }
  }

  async #known(session: Session): Promise<Known> {
    const after = await this.#host.server.taken.of(session.number)
    const reader = await this.#readers.has(session)
    return { after, reader, unkept: reader ? await this.#firstUnkept(session, after) : undefined }
  }

  #follow(session: Session, waiting: Backlog, { after, reader, unkept }: Known): void {
    const { newest } = session.position
    session.position.follow()
    const { first } = waiting
    const at = reader ? before(unkept, first) : Math.min(after, first - 1)
    if (at !== undefined) this.#run(session, waiting, { at, reader, newest })
  }

  /** It follows now, from a place that is further back: both are to survive together. */
  #begun(session: Session, waiting: Backlog): void {
    session.changed()
    if (this.#waiting.get(session) === waiting) this.#waiting.delete(session)
    if (session.behind !== waiting) return
    waiting.done()
    session.keeper?.caughtUp()
  }

  end(session: Session): void {
    this.#waiting.delete(session)
    if (session.behind instanceof Backlog) session.behind.done()
  }

  /** It goes on on another node, where the log has the rest of it. */
  surrender(session: Session): void {
    if (session.behind instanceof Backlog) session.behind.surrender()
  }

  forget(session: Session): void {
    this.#waiting.delete(session)
  }

  close(): void {
    for (const session of this.#waiting.keys()) this.end(session)
  }

  /** A client that reads the archive is owed from here on. */
  async #firstUnkept({ number: owner }: Session, after: number): Promise<number | undefined> {
    const query = { owner, after, flags: INCOMING, absent: KEPT, limit: 1 }
    return (await this.#host.messages.page(query)).messages[0]?.id
  }

  #run(session: Session, waiting: Backlog, { at, reader, newest }: Start): void {
    const backlog: Backlog = new Backlog(session, at, {
      flags: 0,
      room: () => this.#room(session, backlog),
      amend: (envelope, logged) =>
        this.#amend(envelope, logged, { session, backlog, reader, newest }),
    })
    backlog.takesOver(waiting)
    session.behind = backlog
    this.#host.server.pending(backlog.run())
  }

  /** Who is away may come back to this session: what it is owed waits in the log, not in memory. */
  #room(session: Session, backlog: Backlog): boolean {
    const { stream } = session
    if (stream && stream.transport.buffered < MOST_BUFFERED) return true
    this.#host.clock.after(stream ? PAUSE : ABSENCE, () => {
      if (session.behind === backlog && !session.closed) this.#host.server.pending(backlog.run())
    })
    return false
  }

  #amend(
    envelope: Envelope,
    logged: Logged,
    { session, backlog, reader, newest }: Whose,
  ): Envelope | undefined {
    backlog.reaches(logged.id)
    if (session.position.has(logged.id)) return undefined
    // Up to there it lacks only what was sent to others by name.
    if (logged.id <= newest && isFor(session, envelope)) return undefined
    // What came when it was there already is as live as can be.
    if (logged.id >= backlog.first) return envelope
    if (reader && logged.flags & KEPT) return undefined
    if (this.#host.server.taken.apart(session.number).has(logged.id)) return undefined
    if (!isOwed(envelope, logged)) return undefined
    return envelope.annotated(delayed(momentOf(logged.id), this.#host.jid.attr))
  }
}

/** Of a session that comes: what its account has, and what it is owed that no archive has */
interface Known {
  after: number
  reader: boolean
  unkept: number | undefined
}

interface Start {
  /** After this number it begins to read. */
  at: number
  reader: boolean
  /** What it was sent in turn before */
  newest: number
}

interface Whose extends Omit<Start, 'at'> {
  session: Session
  backlog: Backlog
}

/** What to begin with where both may be there. */
function before(unkept: number | undefined, missed: number): number | undefined {
  const first = Math.min(unkept ?? Number.MAX_SAFE_INTEGER, missed)
  return first === Number.MAX_SAFE_INTEGER ? undefined : first - 1
}

function isFor({ resource }: Session, { to }: Envelope): boolean {
  return to.isBare || to.resource === resource
}

/**
 * XEP-0160 §3: errors wait for nobody. What the account sent itself is no news for it, a tombstone says
 * nothing to who never saw the message.
 */
export function isOwed({ stanza, to }: Envelope, { flags }: Logged): boolean {
  if (!(flags & INCOMING) || flags & RETRACTED || stanza.type === 'error') return false
  return to.isBare || isDurable(stanza)
}
