// The order of the log on every stream: a message is shown here when the one before it in its account's log was
// (reliability.md I7). Another node may have written that one and tell of it a moment later, or not at all:
// then the log is read.

import { timeOf } from '../storage/logged-message.js'
import type { Jid } from '../xmpp/jid.js'
import type { Timer } from '../ops/clock.js'
import type { Server } from './server.js'

/** Milliseconds */
const PATIENCE = 200
/** While nobody is heard anyway */
const CUT_OFF = 50
/** After something was shown that may have overtaken something */
const DOUBT = 15_000
/** LIM-awaited: messages that others wait for; beyond it nobody waits. */
const MOST_AWAITED = 10_000

/** A message as one account has it */
export interface Step {
  readonly account: Jid
  readonly owner: number
  /** The message before it in its log, 0 where there is none that matters, below 0 where nobody knows */
  readonly previous: number
}

export class LogOrder {
  readonly #server: Server
  /** What waits for a message, by its number */
  #awaited = new Map<number, (() => void)[]>()
  #timer: Timer | undefined
  #reading = false
  #doubtful = 0

  constructor(server: Server) {
    this.#server = server
  }

  /** Whether everything before what was shown here was shown here, too. */
  get certain(): boolean {
    return this.#server.clock.now() >= this.#doubtful
  }

  /** Resolves when it is the turn of a message; undefined where it is now. */
  of(steps: readonly Step[]): Promise<void> | undefined {
    if (steps.some(({ previous }) => previous < 0)) this.#doubt()
    const missing = steps.filter((step) => this.#isMissing(step))
    if (missing.length === 0) return undefined
    if (this.#awaited.size >= MOST_AWAITED) {
      this.#doubt()
      return undefined
    }
    const waits = missing.map(({ previous }) => this.#wait(previous))
    return Promise.all(waits).then(() => undefined)
  }

  /** What waits for it goes on when whoever shows it is done, in this turn of the event loop. */
  shown(id: number): void {
    const waiting = this.#awaited.get(id)
    if (!waiting) return
    this.#awaited.delete(id)
    for (const go of waiting) go()
  }

  /** Whether somebody may not have been shown it yet. */
  isOpen(id: number): boolean {
    const { showing } = this.#server
    return id > 0 && !showing.has(id) && !showing.isPast(id)
  }

  #isMissing({ account, owner, previous }: Step): boolean {
    if (!this.isOpen(previous)) return false
    const sessions = this.#server.hosts.get(account.domain)?.sessions.of(account.bare) ?? []
    return sessions.some(({ number, position }) => number === owner && position.begun < previous)
  }

  #doubt(): void {
    this.#doubtful = this.#server.clock.now() + DOUBT
  }

  #wait(id: number): Promise<void> {
    this.#watch()
    return new Promise((resolve) => {
      const waiting = this.#awaited.get(id)
      if (waiting) waiting.push(resolve)
      else this.#awaited.set(id, [resolve])
    })
  }

  #watch(): void {
    if (this.#timer || this.#reading) return
    const { clock, members } = this.#server
    this.#timer = clock.after(members.cutOff ? CUT_OFF : PATIENCE, () => {
      this.#timer = undefined
      void this.#read()
    })
  }

  /** Whoever waits now is shown what is in the log; what is not there is waited for no more. */
  async #read(): Promise<void> {
    const waiting = [...this.#awaited.keys()]
    if (waiting.length === 0) return
    this.#reading = true
    try {
      await this.#server.showing.repair(timeOf(Math.min(...waiting)))
    } catch (error) {
      this.#doubt()
      this.#server.failed('order of the log', error)
    }
    this.#reading = false
    for (const id of waiting) this.shown(id)
    if (this.#awaited.size > 0) this.#watch()
  }
}
