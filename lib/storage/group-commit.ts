// How a group of the journal's entries gets to the disk, and who hears what became of it. What cannot be
// written together is written in parts, in order, so that only the sender of what fails alone hears of
// it: where a change throws, all but those that throw go together; where nobody can tell whose row it
// is, in halves. A commit whose answer was lost is looked up before anybody is told; where nobody can
// tell what became of it, it is refused, and never done again: it may be there.

import { broken, failpoint } from '../ops/failpoint.js'
import type { Clock } from '../ops/clock.js'
import { StanzaError } from '../xmpp/errors.js'
import { CommitAttempt, spoil } from './commit-attempt.js'
import { CommitMark } from './commit-mark.js'
import type { Database } from './database.js'
import type { Entry } from './journal-entry.js'
import type { MessageLog } from './message-log.js'
import type { Outage } from './outage.js'
import { isFencedOff, isTrouble, OutcomeUnknown, Unsent } from './trouble.js'

export interface Waiting {
  readonly entry: Entry
  resolve(): void
  reject(error: unknown): void
}

interface Part {
  readonly group: readonly Waiting[]
  readonly careful: boolean
}

/** One group under way: how long it may take, and whose counts must not be counted over. */
interface Course {
  readonly until: number
  readonly spoiled: Set<string>
}

interface GroupCommitOptions {
  readonly database: Pick<Database, 'transaction' | 'write'>
  readonly messages: MessageLog | undefined
  readonly outage: Outage
  readonly clock: Clock
  readonly grace: number
  readonly patience: number
  readonly life: string | undefined
  /** This life is over; called before anybody in the group hears of it. */
  fenced(): void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #mark: CommitMark
  #closing = false
  #fenced = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#mark = new CommitMark(options.life)
  }

  /** A database that is away is not waited for any more. */
  close(): void {
    this.#closing = true
  }

  /** Nothing is written any more, and nothing is waited for. */
  fence(): void {
    this.#closing = true
    this.#fenced = true
  }

  /** Resolves when everybody in it was told. */
  async commit(group: readonly Waiting[]): Promise<void> {
    if (broken('ack-early')) for (const { resolve } of group) resolve()
    const until = this.#options.clock.now() + this.#options.grace
    const course: Course = { until, spoiled: new Set() }
    const parts: Part[] = [{ group, careful: false }]
    for (let part = parts.shift(); part; part = parts.shift()) {
      const attempt = this.#attempt(part, course)
      try {
        if (!part.group.every(({ entry }) => entry.empty)) await this.#write(attempt, course)
        failpoint('after-commit')
        this.#tell(part.group, attempt.failures, course)
      } catch (error) {
        if (isFencedOff(error)) this.#options.fenced()
        // Where nothing reaches the database at all, parts would fare no better.
        if (this.#isOver(error, course)) {
          for (const { group: rest } of [part, ...parts.splice(0)]) this.#refuse(rest, error)
        } else if (part.group.length === 1) {
          spoil(course.spoiled, part.group[0]!.entry)
          this.#refuse(part.group, error)
        } else parts.unshift(...divided(part, attempt))
      }
    }
  }

  #attempt({ group, careful }: Part, { spoiled }: Course): CommitAttempt {
    const entries = group.map(({ entry }) => entry)
    const { messages } = this.#options
    return new CommitAttempt({ entries, careful, messages, spoiled })
  }

  #isOver(error: unknown, { until }: Course): boolean {
    if (this.#fenced || error instanceof Unsent || error instanceof OutcomeUnknown) return true
    return isTrouble(error) && this.#options.clock.now() >= until
  }

  #tell(
    group: readonly Waiting[],
    failures: ReadonlyMap<Entry, unknown>,
    { spoiled }: Course,
  ): void {
    for (const { entry, resolve, reject } of group) {
      if (failures.has(entry)) {
        spoil(spoiled, entry)
        reject(failures.get(entry))
      } else resolve()
    }
  }

  /** Trouble with the disk or the server is nobody's fault: the sender may try again later, or elsewhere. */
  #refuse(group: readonly Waiting[], error: unknown): void {
    const trouble = isTrouble(error)
    if (trouble && !this.#fenced) this.#options.outage.seen(error)
    const refusal = new StanzaError('resource-constraint', 'it could not be stored')
    for (const { entry, reject } of group) {
      entry.counted = false
      reject(trouble || this.#fenced ? refusal : error)
    }
  }

  async #write(attempt: CommitAttempt, { until }: Course): Promise<void> {
    const { database, outage } = this.#options
    const number = this.#mark.next()
    const again = (error: unknown): boolean => error instanceof Unsent && !this.#closing
    try {
      const mark = this.#mark.writes(number)
      await outage.insist(() => attempt.send(database, mark), { until, again })
    } catch (error) {
      if (isTrouble(error)) outage.seen(error)
      // It may be a lost answer to a commit that took place.
      if (error instanceof Unsent || isFencedOff(error) || attempt.threw) throw error
      if (!(await this.#tookPlace(number, attempt))) throw error
    }
    outage.over()
  }

  /** Whether it is there; if so its messages know their numbers. */
  async #tookPlace(number: number, attempt: CommitAttempt): Promise<boolean> {
    const { database, outage, clock, patience } = this.#options
    const look = async (): Promise<boolean> => {
      const there = await this.#mark.committed(database, number)
      if (this.#mark.over) this.#options.fenced()
      if (there) await attempt.recover()
      return there
    }
    try {
      return await outage.insist(look, {
        until: clock.now() + patience,
        again: () => !this.#fenced,
      })
    } catch (error) {
      throw new OutcomeUnknown(error)
    }
  }
}

function divided({ group, careful }: Part, { threw }: CommitAttempt): Part[] {
  if (threw && !careful) return [{ group, careful: true }]
  const half = Math.ceil(group.length / 2)
  return [
    { group: group.slice(0, half), careful },
    { group: group.slice(half), careful },
  ]
}
