// One try to write some entries of the journal together, as one transaction. Without changes it is one
// question to the database. A careful try puts a savepoint before each entry that has changes: those
// whose change throws are rolled back and left out, all others are written.
//
// Changes and rows of all entries go in their order; the journal's mark goes first (commit-mark.ts).

import type { Knex } from 'knex'
import type { Database } from './database.js'
import type { Entry, TableRow } from './journal-entry.js'
import type { LoggedMessage } from './logged-message.js'
import type { MessageLog } from './message-log.js'
import { isTrouble } from './trouble.js'
import { type Answer, byTable, keyOf, latest, type Write, writeWithin } from './writes.js'

interface AttemptOptions {
  readonly entries: readonly Entry[]
  readonly careful: boolean
  readonly messages: MessageLog | undefined
  /** Keys of the counts of entries that failed before these */
  readonly spoiled: ReadonlySet<string>
}

export class CommitAttempt {
  /** Entries that were left out, and why */
  readonly failures = new Map<Entry, unknown>()
  /** A change threw, and it was not the database's trouble: the transaction was not committed. */
  threw = false
  readonly #options: AttemptOptions
  #logged: readonly LoggedMessage[] = []
  #writes: readonly Write[] | undefined

  constructor(options: AttemptOptions) {
    this.#options = options
  }

  async send(
    database: Pick<Database, 'transaction' | 'write'>,
    mark: readonly Write[],
  ): Promise<void> {
    const { entries, messages } = this.#options
    let answers: Answer[]
    if (entries.some(({ changes }) => changes)) {
      answers = await database.transaction((trx) => this.#within(trx, mark))
    } else {
      answers = (await database.write([...mark, ...this.#plain()])).slice(mark.length)
    }
    if (this.#logged.length > 0) messages!.written(this.#logged, answers)
  }

  /** It took place, its answers were lost. */
  async recover(): Promise<void> {
    if (this.#logged.length > 0) await this.#options.messages!.recover(this.#logged)
  }

  async #within(trx: Knex.Transaction, mark: readonly Write[]): Promise<Answer[]> {
    await writeWithin(trx, mark)
    for (const entry of this.#options.entries) {
      if (!entry.changes) continue
      if (this.#options.careful) await this.#changeOrLeave(trx, entry)
      else await this.#change(trx, entry)
    }
    return writeWithin(trx, this.#plain())
  }

  async #change(trx: Knex.Transaction, entry: Entry): Promise<void> {
    try {
      for (const change of entry.changes!) await change(trx)
    } catch (error) {
      this.threw = !isTrouble(error)
      throw error
    }
  }

  async #changeOrLeave(trx: Knex.Transaction, entry: Entry): Promise<void> {
    await trx.raw('savepoint entry')
    try {
      for (const change of entry.changes!) await change(trx)
    } catch (error) {
      if (isTrouble(error)) throw error
      await trx.raw('rollback to savepoint entry')
      this.failures.set(entry, error)
    }
    await trx.raw('release savepoint entry')
  }

  /** Everything but changes: once, since messages get their numbers here. */
  #plain(): readonly Write[] {
    return (this.#writes ??= this.#gather())
  }

  #gather(): Write[] {
    const logged: LoggedMessage[] = []
    const rows: TableRow[] = []
    const puts: TableRow[] = []
    const spoiled = new Set(this.#options.spoiled)
    for (const entry of this.#options.entries) {
      if (this.failures.has(entry)) spoil(spoiled, entry)
      else {
        if (entry.message) logged.push(entry.message)
        if (entry.rows) rows.push(...entry.rows)
        if (entry.puts) puts.push(...unspoiled(entry.puts, spoiled))
        entry.counted = entry.tally !== undefined && unspoiled([entry.tally], spoiled).length > 0
      }
    }
    this.#logged = logged
    const messages = logged.length > 0 ? this.#options.messages!.writes(logged) : []
    return [...messages, ...byTable(rows), ...latest(puts)]
  }
}

/** What would count this entry too is left out from here on. */
export function spoil(spoiled: Set<string>, { tally }: Entry): void {
  if (tally) spoiled.add(keyOf(tally.table, tally.row))
}

function unspoiled(puts: readonly TableRow[], spoiled: ReadonlySet<string>): readonly TableRow[] {
  if (spoiled.size === 0) return puts
  return puts.filter(({ table, row }) => !spoiled.has(keyOf(table, row)))
}
