// Fills the index of words behind the log, in small portions when nothing else is being written: live
// messages never wait for more than one of them. While others write, most of the time is theirs; while the
// process has much to do it goes on a little in each second. It begins again where the index ends, whatever
// happened.

import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../../lib/storage/database.js'
import type { Journal } from '../../lib/storage/journal.js'
import type { MessageLog } from '../../lib/storage/message-log.js'
import { isTrouble } from '../../lib/storage/trouble.js'
import { documentOf } from './document.js'
import type { WordIndex } from './word-index.js'

/** Messages of one portion: a millisecond of the database and as much of this thread */
const PORTION = 25
/** The same while others write */
const SMALL_PORTION = 8
/** While others write, it rests so many times as long as a portion takes. */
const REST = 20
/** Portions of each run, however much else there is to do */
const LEAST = 2
/** The part of its time that the event loop is at work, from which on the rest can wait */
const MUCH = 0.6
/** How often it looks whether the journal pauses */
const PATIENCE = 20
/** In how many runs what expired is looked for once */
const SWEEP = 60

class Indexer {
  readonly #index: WordIndex
  readonly #log: MessageLog
  readonly #journal: Journal
  #running: Promise<void> | undefined
  #runs = 0
  #seen = performance.eventLoopUtilization()
  #stopped = false

  constructor(index: WordIndex, log: MessageLog, journal: Journal) {
    this.#index = index
    this.#log = log
    this.#journal = journal
  }

  /** Until all messages are in the index, or others need the database more. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Waits for the portion that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      if (this.#runs++ % SWEEP === 0) await this.#sweep()
      await this.#fill()
    } catch (error) {
      // A full disk, a server that is away: those who send messages hear of it; this one waits.
      if (!isTrouble(error)) throw error
    }
  }

  async #fill(): Promise<void> {
    this.#seen = performance.eventLoopUtilization()
    let more = await this.#isBehind()
    for (let portion = 1; more && !this.#stopped; portion++) {
      const alone = await this.#quiet()
      const began = performance.now()
      more = await this.#portion(alone ? PORTION : SMALL_PORTION)
      if (!alone) await pause((performance.now() - began) * REST)
      if (portion % LEAST === 0 && this.#load() > MUCH) return
    }
  }

  /** Since it was asked last */
  #load(): number {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#seen)
    this.#seen = now
    return utilization
  }

  async #isBehind(): Promise<boolean> {
    const next = await this.#log.scan(await this.#index.reached(), 1)
    return next.length > 0
  }

  /** Waits a little for a moment in which nothing is being written; whether it was there at once. */
  async #quiet(): Promise<boolean> {
    const alone = !this.#journal.busy
    for (let look = 0; look < PATIENCE && this.#journal.busy; look++)
      await new Promise((resolve) => setImmediate(resolve))
    return alone
  }

  async #portion(most: number): Promise<boolean> {
    let read = 0
    const ours = await this.#index.advance(async (after) => {
      const messages = await this.#log.scan(after, most)
      read = messages.length
      const documents = messages.flatMap((message) => documentOf(message) ?? [])
      return { upTo: messages.at(-1)?.id ?? after, documents }
    })
    return ours && read === most
  }

  /** What expired in the log. */
  async #sweep(): Promise<void> {
    const [oldest] = await this.#log.scan(0, 1)
    const before = oldest?.id ?? Number.MAX_SAFE_INTEGER
    while (!this.#stopped && (await this.#index.sweep(before)));
  }
}

/** The log is one for all hosts of a server, and so is its index. */
const shared = new WeakMap<Database, { indexer: Indexer; users: number; unwatch(): void }>()

export function fillingOf(
  { database, messages, journal }: { database: Database; messages: MessageLog; journal: Journal },
  index: WordIndex,
): { indexer: Indexer; leave(): Promise<void> } {
  const filling = shared.get(database) ?? {
    indexer: new Indexer(index, messages, journal),
    users: 0,
    unwatch: messages.watch((trx, ids) => index.remove(trx, ids)),
  }
  shared.set(database, filling)
  filling.users++
  return {
    indexer: filling.indexer,
    async leave() {
      if (--filling.users > 0) return
      shared.delete(database)
      filling.unwatch()
      await filling.indexer.stop()
    },
  }
}
