// One stanza under way: its journal entry, made when somebody writes to it, and what is to happen
// after the commit. Both sides of a stanza share one transit, so what it leaves behind is one
// transaction; each side has a passage of its own.

import type { Jid } from '../xmpp/jid.js'
import type { JournalEntry } from '../storage/journal.js'
import type { Host } from './host.js'
import type { Passage } from './pipeline.js'
import type { Session } from './session.js'

export class Transit {
  readonly host: Host
  readonly session: Session | undefined
  /** Full addresses that got the original; filled by delivery, read by `copy`. */
  readonly delivered: Jid[] = []
  #entry: JournalEntry | undefined
  #effects: (() => void)[] | undefined
  #afterwards: (() => void)[] | undefined

  constructor(host: Host, session: Session | undefined) {
    this.host = host
    this.session = session
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

  passage(account: Jid): Passage {
    return new Side(this, account)
  }

  /** Resolves when everything it leaves behind is on disk; at once where that is nothing. */
  commit(): Promise<void> | undefined {
    const entry = this.#entry
    if (!entry || entry.empty) return this.#settle()
    this.#entry = undefined
    return this.host.journal.commit(entry).then(() => this.#settle())
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

  constructor(transit: Transit, account: Jid) {
    this.#transit = transit
    this.account = account
  }

  get session(): Session | undefined {
    return this.#transit.session
  }

  get entry(): JournalEntry {
    return this.#transit.entry
  }

  get delivered(): readonly Jid[] {
    return this.#transit.delivered
  }

  after(effect: () => void): void {
    this.#transit.after(effect)
  }
}
