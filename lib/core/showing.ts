// What is new in the message log, shown to the sessions of this node: by the frame of the node that wrote it,
// or by reading the log where such frames may be missing. Each message is shown here once; a session that is
// behind comes to it by itself. Who is sent what is decided here, where the sessions are: RFC 6121 §8.5.

import { INCOMING, type LoggedMessage, numberAt } from '../storage/logged-message.js'
import type { Logged, Recorded, RecordedSide } from '../storage/message-log.js'
import type { Envelope } from '../xmpp/envelope.js'
import { Jid } from '../xmpp/jid.js'
import { envelopeOf } from './catch-up.js'
import type { Host } from './host.js'
import type { Server } from './server.js'
import type { Session } from './session.js'
import { LogOrder, type Step } from './log-order.js'

/** LIM-shown: messages of which it is remembered that they were shown here, in each of two generations */
const MOST_SHOWN = 150_000
/** Milliseconds before the first message that it shows of which a node does not know what was shown */
const BEFORE = 15_000
const PAGE = 500
/** Milliseconds that clocks of nodes and the order of events may be wrong by */
const MARGIN = 3000

export class Showing {
  readonly #server: Server
  readonly #order: LogOrder
  #shown = new Set<number>()
  #shownBefore: ReadonlySet<number> = new Set()
  /** The newest of each generation, and of what is forgotten */
  #newest = 0
  #newestBefore = 0
  #forgotten = 0

  constructor(server: Server) {
    this.#server = server
    this.#order = new LogOrder(server)
  }

  /** Older than what it remembers: as far as this node knows everybody was shown it. */
  isPast(id: number): boolean {
    return id <= this.#begun()
  }

  #begun(): number {
    return (this.#forgotten ||= numberAt(this.#server.clock.now() - BEFORE))
  }

  /** It is for whoever calls to show it here, in the same turn. Whether that is still to be done. */
  claim(id: number): boolean {
    if (!this.#server.whereabouts) return true
    if (this.#shown.has(id) || this.#shownBefore.has(id)) return false
    const begun = this.#begun()
    if (this.#shown.size >= MOST_SHOWN) {
      this.#shownBefore = this.#shown
      this.#shown = new Set()
      this.#forgotten = Math.max(begun, this.#newestBefore)
      this.#newestBefore = this.#newest
    }
    this.#shown.add(id)
    if (id > this.#newest) this.#newest = id
    this.#order.shown(id)
    return true
  }

  /** Whether what it is for here was given it, or is being. */
  has(id: number): boolean {
    return !this.#server.whereabouts || this.#shown.has(id) || this.#shownBefore.has(id)
  }

  /** Whoever was shown a message here was shown all before it. */
  get certain(): boolean {
    return this.#order.certain
  }

  /** Of a message that this node wrote: when it may be claimed; undefined where that is now. */
  turnOf({ from, to, sender, recipient }: LoggedMessage): Promise<void> | undefined {
    if (!this.#server.whereabouts) return undefined
    const steps: Step[] = []
    if (sender) steps.push({ account: from, owner: sender.owner, previous: sender.previous ?? -1 })
    if (recipient)
      steps.push({ account: to, owner: recipient.owner, previous: recipient.previous ?? -1 })
    return this.#order.of(steps)
  }

  /** From another node. Resolves when its turn has come and it is shown; undefined where that is done. */
  told(recorded: Recorded): Promise<void> | undefined {
    const open = recorded.sides.filter(
      ({ previous = -1 }) => previous < 0 || this.#order.isOpen(previous),
    )
    const turn = this.#order.of(open.map((side) => stepOf(recorded, side)))
    if (turn) return turn.then(() => this.#showSafely(recorded))
    this.show(recorded)
    return undefined
  }

  /** From another node, or from the log. */
  show(recorded: Recorded): void {
    if (!this.claim(recorded.id)) return
    for (const side of recorded.sides) {
      const { account, owner } = stepOf(recorded, side)
      const host = this.#server.hosts.get(account.domain)
      if (!host) this.#server.domains.get(account.domain)?.offer.logged?.(recorded)
      else showTo(host, account, { owner, logged: { ...recorded, flags: side.flags } })
    }
  }

  /** Whoever breaks here must not keep everything that follows. */
  #showSafely(recorded: Recorded): void {
    try {
      this.show(recorded)
    } catch (error) {
      this.#server.failed('showing', error)
    }
  }

  /** Everything that was written since this moment. */
  async repair(since: number): Promise<void> {
    const { messages } = this.#server
    let after = Math.max(0, numberAt(since - MARGIN) - 1)
    for (let more = true; more && !this.#server.stopping; ) {
      const page = await messages.scan(after, PAGE)
      for (const recorded of page) this.#showSafely(recorded)
      after = page.at(-1)?.id ?? after
      more = page.length === PAGE
    }
  }
}

function stepOf({ from, to }: Recorded, { owner, flags, previous = 0 }: RecordedSide): Step {
  return { account: Jid.parse(flags & INCOMING ? to : from), owner, previous }
}

interface Shown {
  readonly owner: number
  readonly logged: Logged
}

function showTo(host: Host, jid: Jid, { owner, logged }: Shown): void {
  const sessions = host.sessions.of(jid.bare)
  const meant = sessions.filter(
    ({ number, position }) => number === owner && position.begun < logged.id,
  )
  if (meant.length === 0) return
  const original = envelopeOf(logged)
  const { to } = original
  const takers = logged.flags & INCOMING ? takersOf(meant, original) : none
  if (takers.length === 0 && logged.flags & INCOMING && isElsewhere(host, to))
    host.server.taken.oweElsewhere(owner, logged.id, to.resource)
  for (const session of meant) {
    const envelope = takers.includes(session)
      ? host.labelled(original, logged.flags)
      : copied(host, logged, session)
    if (envelope) session.write(envelope)
  }
}

const none: readonly Session[] = []

/** RFC 6121 §8.5.2.1.1, §8.5.3: what is for the account is for all that want it, errors excepted. */
function takersOf(
  sessions: readonly Session[],
  { to, stanza: { type } }: Envelope,
): readonly Session[] {
  const named = sessions.filter(({ resource }) => resource === to.resource)
  if (!to.isBare && named.length > 0) return named
  const goesOn = to.isBare ? type !== 'error' && type !== 'groupchat' : type === 'chat'
  if (!goesOn || isElsewhere(sessions[0]!.host, to)) return none
  return sessions.filter(({ available, priority }) => available && priority >= 0)
}

/** The resource is there, on another node. Where that is not at hand, one device more sees the message. */
function isElsewhere({ server }: Host, to: Jid): boolean {
  if (to.isBare) return false
  const places = server.directory.remembered(to.bare.text)
  return places?.some(({ resource }) => resource === to.resource) ?? false
}

function copied(host: Host, logged: Logged, session: Session): Envelope | undefined {
  try {
    return host.copied(logged, session)
  } catch (error) {
    host.failed('replay', error)
    return undefined
  }
}
