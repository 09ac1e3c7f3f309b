// Which nodes have sessions of an account, as the database has it. Commits of messages read it, and binding
// writes it while no commit can be under way: either a commit sees the new session's node, or the new session
// finds the message in the log. What is asked for in one turn of the event loop is one transaction.

import { type Clock, systemClock } from '../ops/clock.js'
import { silentLog } from '../ops/log.js'
import { StanzaError } from '../xmpp/errors.js'
import type { Database } from './database.js'
import { fence } from './lives.js'
import { migrate, type MigrationSet } from './migrations.js'
import { Outage } from './outage.js'
import { isTrouble } from './trouble.js'
import type { Answer, Write } from './writes.js'

const tables: MigrationSet = {
  owner: 'whereabouts',
  migrations: [
    {
      name: 'create whereabouts',
      up: (schema) =>
        schema.createTable('whereabouts', (table) => {
          table.bigInteger('account').notNullable()
          table.text('life').notNullable()
          table.text('address').notNullable()
          table.primary(['account', 'life'])
          table.index('life')
        }),
    },
  ],
}

/** Commits of messages hold it from their numbers on until they are visible (postgres-messages.ts). */
const HOLD = 'select last from message_clock where place = 1 for update'
const ADD = `insert into whereabouts (account, life, address)
  select account, $2::text, address from unnest($1::bigint[], $3::text[]) as rows (account, address)
  on conflict do nothing`
const DROP = 'delete from whereabouts where life = $2::text and account = any($1::bigint[])'
const LIVES = 'select account, life from whereabouts where account = any($1::bigint[])'
/** And the newest message of each account before those that the log of this place has just written */
const LIVES_AND_LAST = `select account, life, (select id from archive
    where owner = account and id <= before.last and id > before.last - $3::bigint
    order by id desc limit 1) as last
  from whereabouts, (select last from message_clock where place = $2::bigint) as before
  where account = any($1::bigint[])`
const OTHERS = `${LIVES} and life <> $2::text`

/** Lives that others have taken for dead, or that have not written for long */
const SILENT = `select distinct life from whereabouts left join commits on journal = life
  where not life = any(?::text[]) and (journal is null or alive = 0 or at < ?)`

/** Milliseconds for which it is tried again */
const GRACE = 5000

/** An account, and its bare address */
export interface Where {
  readonly account: number
  readonly address: string
}

export interface Bearings {
  /** Other lives that have sessions of the account */
  readonly lives: readonly string[]
  /** The newest message: what comes later is told to this node. */
  readonly newest: number
}

interface Coming extends Where {
  known(bearings: Bearings): void
  failed(error: unknown): void
}

/** What a commit of messages asks of the accounts that have them */
interface Concerned {
  readonly accounts: readonly number[]
  /** Where the log that writes them notes from which number on they are */
  readonly place: number
  /** Numbers further back than this do not matter, whatever the clocks say. */
  readonly within: number
}

/** Which lives have sessions of each account, and what its last message was: within the commit. */
export function concerned({ accounts, place, within }: Concerned): Write {
  return { sql: LIVES_AND_LAST, runs: [[accounts, place, within]] }
}

/** Of accounts that have sessions: the newest message before those of this commit */
export function readLast(answer: Answer): Map<number, number> {
  const rows = answer as readonly { account: number; last: number | null }[]
  return new Map(rows.map(({ account, last }) => [account, last ?? 0]))
}

export function readLives(answer: Answer): ReadonlyMap<number, readonly string[]> {
  const lives = new Map<number, string[]>()
  for (const { account, life } of answer as readonly { account: number; life: string }[]) {
    const known = lives.get(account)
    if (known) known.push(life)
    else lives.set(account, [life])
  }
  return lives
}

export class Whereabouts {
  readonly #database: Database
  readonly #life: string
  /** How many sessions of an account are here, or about to be */
  readonly #counts = new Map<number, number>()
  #coming: Coming[] = []
  readonly #leaving = new Set<number>()
  #running: Promise<void> | undefined
  readonly #clock: Clock
  readonly #outage: Outage
  #closing = false

  static async open(database: Database, life: string, clock = systemClock): Promise<Whereabouts> {
    await migrate(database, [tables])
    return new Whereabouts(database, life, clock)
  }

  private constructor(database: Database, life: string, clock: Clock) {
    this.#database = database
    this.#life = life
    this.#clock = clock
    // The journal tells of it.
    this.#outage = new Outage(clock, silentLog)
  }

  /** The account has a session more here. Resolves when that is on disk. */
  here({ account, address }: Where): Promise<Bearings> {
    this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1)
    this.#leaving.delete(account)
    const known = new Promise<Bearings>((resolve, reject) => {
      this.#coming.push({ account, address, known: resolve, failed: reject })
    })
    this.#run()
    return known
  }

  /** It has one less. That the last one went may be known later. */
  gone(account: number): void {
    const left = (this.#counts.get(account) ?? 1) - 1
    if (left > 0) this.#counts.set(account, left)
    else {
      this.#counts.delete(account)
      this.#leaving.add(account)
      this.#run()
    }
  }

  #run(): void {
    this.#running ??= this.#work()
  }

  async #work(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (let fine = true; this.#coming.length > 0 || (fine && this.#leaving.size > 0); )
      fine = await this.#turn()
    this.#running = undefined
  }

  async #turn(): Promise<boolean> {
    const coming = this.#coming.splice(0)
    const leaving = [...this.#leaving]
    this.#leaving.clear()
    const until = coming.length > 0 ? this.#clock.now() + GRACE : 0
    const again = (error: unknown) => !this.#closing && isTrouble(error)
    try {
      await this.#outage.insist(() => this.#write(coming, leaving), { until, again })
      return true
    } catch (error) {
      // A row too many costs a hop: it goes with the next write.
      for (const account of leaving) if (!this.#counts.has(account)) this.#leaving.add(account)
      const trouble = new StanzaError('resource-constraint', 'it could not be stored')
      for (const { failed } of coming) failed(isTrouble(error) ? trouble : error)
      return false
    }
  }

  async #write(coming: readonly Coming[], leaving: readonly number[]): Promise<void> {
    const addresses = new Map(coming.map(({ account, address }) => [account, address]))
    const accounts = [...addresses.keys()]
    const gone = leaving.filter((account) => !addresses.has(account))
    const drop = { sql: DROP, runs: [[gone, this.#life]] }
    if (accounts.length === 0) {
      await this.#database.write([drop])
      return
    }
    const add = { sql: ADD, runs: [[accounts, this.#life, [...addresses.values()]]] }
    const others = { sql: OTHERS, runs: [[accounts, this.#life]] }
    const answers = await this.#database.write([{ sql: HOLD, runs: [[]] }, drop, add, others])
    const [{ last: newest }] = answers[0] as [{ last: number }]
    const lives = readLives(answers[3]!)
    for (const { account, known } of coming) known({ lives: lives.get(account) ?? [], newest })
  }

  /** Lives that are over, for all that is known, and had sessions. */
  async silent(alive: readonly string[], before: number): Promise<readonly string[]> {
    const rows: { life: string }[] = await this.#database.knex.raw(SILENT, [[...alive], before])
    return rows.map(({ life }) => life)
  }

  /** Accounts that had sessions in a life, by number */
  of(life: string, after: number, limit: number): Promise<readonly Where[]> {
    const rows = this.#database.knex('whereabouts').where({ life }).where('account', '>', after)
    return rows.orderBy('account').limit(limit).select('account', 'address')
  }

  async drop(life: string, accounts: readonly number[]): Promise<void> {
    await this.#database.knex('whereabouts').where({ life }).whereIn('account', accounts).delete()
  }

  /**
   * What is left are accounts with sessions that wait for their clients: whoever mourns this life finds them.
   * It says itself that it is over, so that nobody has to find out before he takes them up.
   */
  async close(): Promise<void> {
    this.#closing = true
    await this.#running
    await fence(this.#database, this.#life).catch(() => undefined)
  }
}
