// One stanza under way: its journal entry, made when somebody writes to it, and what is to happen
// after the commit. Both sides of a stanza share one transit, so what it leaves behind is one
// transaction; each side has a passage of its own.

import type { Envelope } from '../xmpp/envelope.js'
import { hash53 } from '../xmpp/hash53.js'
import type { Jid } from '../xmpp/jid.js'
import { originId, ownLabel } from '../xmpp/message-references.js'
import type { JournalEntry } from '../storage/journal.js'
import { INCOMING, LoggedMessage, OUTGOING } from '../storage/logged-message.js'
import type { Host } from './host.js'
import type { Passage } from './pipeline.js'
import type { Session } from './session.js'

export class Transit {
  readonly host: Host
  readonly session: Session | undefined
  /** Full addresses that got the original; filled by delivery, read by `copy`. */
  readonly delivered: Jid[] = []
  /** For sessions of this node alone */
  here = false
  /** Of the recipient's account, where it is one of ours */
  recipient = 0
  /** The message that it leaves in the log */
  logged: LoggedMessage | undefined
  /** Its place among what its stream brought, where that is counted */
  readonly count: number
  /** Its count is on disk together with what it leaves behind. */
  counted = false
  /** Its count goes to disk when it is done, not with what it leaves behind on the way. */
  countLater = false
  /** It goes on beside its lane, and tells the session itself when it is done. */
  apart = false
  #sent: number | undefined
  #received: number | undefined
  #entry: JournalEntry | undefined
  #effects: (() => void)[] | undefined
  #afterwards: (() => void)[] | undefined

  constructor(host: Host, session: Session | undefined, count = 0) {
    this.host = host
    this.session = session
    this.count = count
  }

  get entry(): JournalEntry {
    return (this.#entry ??= this.host.journal.entry())
  }

  after(effect: () => void): void {
    ;(this.#effects ??= []).push(effect)
  }

  afterAnswer(effect: () => void): void {
    ;(this.#afterwards ??= []).push(effect)
  }

  /** The answer has left. */
  answered(): void {
    const effects = this.#afterwards
    this.#afterwards = undefined
    if (effects) for (const effect of effects) this.#run(effect)
  }

  passage(account: Jid, direction = 0): Passage {
    return new Side(this, account, direction)
  }

  /** For the account on this side. */
  keep(direction: number, flags: number): void {
    if (direction === OUTGOING) this.#sent = (this.#sent ?? 0) | flags
    if (direction === INCOMING) this.#received = (this.#received ?? 0) | flags
  }

  /** Both sides have decided what they keep of a message. */
  seal(envelope: Envelope): void {
    if (this.#sent === undefined && this.#received === undefined) return
    const author = this.session?.number ?? 0
    const logged = logMessage(envelope, author)
    if (this.#sent !== undefined && author !== 0)
      logged.sender = { owner: author, flags: this.#sent | OUTGOING }
    if (this.#received !== undefined && this.recipient !== 0)
      logged.recipient = { owner: this.recipient, flags: this.#received | INCOMING }
    if (logged.sender && logged.sender.owner === logged.recipient?.owner) {
      logged.recipient.flags |= logged.sender.flags
      logged.sender = undefined
    }
    if (!logged.sender && !logged.recipient) return
    this.logged = logged
    this.entry.message = logged
  }

  /** Resolves when everything it leaves behind is on disk; at once where that is nothing. */
  commit(): Promise<void> | undefined {
    const entry = this.#entry
    if (!entry || entry.empty)
      return this.session?.lane.committing ? this.#follow() : this.#settle()
    this.#entry = undefined
    if (this.count > 0 && this.session?.keeper && !this.countLater) {
      const { table, row } = this.session.keeper.mark(this.count)
      entry.count(table, row)
    }
    return this.#when(this.host.journal.commit(entry), entry)
  }

  /** It leaves nothing behind, but what the same stream brought before must not be overtaken. */
  #follow(): Promise<void> {
    return this.#when(this.host.journal.settled())
  }

  /** One step for all: what is on disk together goes on in order (RFC 6120 §10.1). */
  #when(committed: Promise<void>, entry?: JournalEntry): Promise<void> {
    return committed.then(() => {
      if (entry) this.counted = entry.counted
      return this.#settle()
    })
  }

  #settle(): undefined {
    const effects = this.#effects
    this.#effects = undefined
    if (effects) for (const effect of effects) this.#run(effect)
    return undefined
  }

  // The stanza is on disk: an effect that breaks is logged and takes nothing else with it.
  #run(effect: () => void): void {
    try {
      effect()
    } catch (error) {
      this.host.failed('after the commit', error)
    }
  }
}

class Side implements Passage {
  readonly account: Jid
  readonly #transit: Transit
  readonly #direction: number

  constructor(transit: Transit, account: Jid, direction: number) {
    this.#transit = transit
    this.account = account
    this.#direction = direction
  }

  keep(flags: number): void {
    this.#transit.keep(this.#direction, flags)
  }

  get kept(): { id: number; flags: number } | undefined {
    const { logged } = this.#transit
    if (!logged || logged.id === 0) return undefined
    const side =
      this.#direction === OUTGOING ? (logged.sender ?? logged.recipient) : logged.recipient
    return side && side.flags & this.#direction ? { id: logged.id, flags: side.flags } : undefined
  }

  get session(): Session | undefined {
    return this.#transit.session
  }

  get entry(): JournalEntry {
    return this.#transit.entry
  }

  get here(): boolean {
    return this.#transit.here
  }

  get delivered(): readonly Jid[] {
    return this.#transit.delivered
  }

  after(effect: () => void): void {
    this.#transit.after(effect)
  }
}

/** What the same message sent twice has in common: its words, whom it is for, and the sender's own id. */
function logMessage(envelope: Envelope, author: number): LoggedMessage {
  const { stanza, from, to } = envelope
  const label = ownLabel(stanza)
  const origin = author !== 0 ? originId(stanza) : undefined
  return new LoggedMessage({
    from,
    to,
    text: stanza.render('', ''),
    label: label ? hash53(label) : 0,
    key: origin ? keyOf(`${to.text}\n${stanza.type}\n${origin}\n${stanza.content}`) : '',
    author,
  })
}

/** Two hashes: of two messages that share one by chance, the second would be taken for the first. */
function keyOf(text: string): string {
  return hash53(text).toString(36) + hash53(`2\n${text}`).toString(36).padStart(11, '0')
}
