// What accounts want kept (XEP-0441). Every message asks, so the answer is in memory: those who have set
// something are few, and all of them are known (up to a bound; beyond it they are read when somebody
// asks). What another node changed is read again when somebody asks; while the others cannot be heard, what
// was changed lately is looked for every second.

import type { Knex } from 'knex'
import type { Later } from '../../lib/core/later.js'
import type { Database } from '../../lib/storage/database.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Jid } from '../../lib/xmpp/jid.js'

/** As which other nodes remember them */
export const PREFERENCES = 'archive preferences'

export const standards = ['always', 'never', 'roster'] as const
export type Standard = (typeof standards)[number]

/** Addresses as texts of a Jid; bare ones stand for all their resources. */
export interface Preferences {
  readonly standard: Standard
  readonly always: ReadonlySet<string>
  readonly never: ReadonlySet<string>
}

interface Row {
  account: number
  standard: string
  always: string
  never: string
  changed: number
}

const TABLE = 'archive_preferences'
/** LIM-archive-preferences-known: accounts with preferences of their own that are held in memory */
const MOST = 20_000
/** How far back to look for what other nodes changed: their clocks need not agree. */
const RECENT = 10 * 60_000
/** All are read again at most so often: milliseconds. */
const OFTEN = 60_000

/** XEP-0441 §2.3: `listed` decides, or undefined where neither list has the address. */
export function listed({ always, never }: Preferences, peer: Jid): boolean | undefined {
  if (always.size === 0 && never.size === 0) return undefined
  if (never.has(peer.text) || never.has(peer.bare.text)) return false
  return always.has(peer.text) || always.has(peer.bare.text) ? true : undefined
}

export class PreferenceStore {
  readonly standard: Preferences
  readonly #database: Database
  readonly #most: number
  #known = new Map<number, Preferences>()
  /** Who is not known has none. */
  #whole = false
  /** Set by other nodes, and not read since */
  readonly #changed = new Set<number>()
  /** When all were read again last */
  #loaded = 0
  /** How often something was set: what was read before may be older than what is known. */
  #changes = 0

  constructor(database: Database, standard: Standard, most = MOST) {
    this.#database = database
    this.#most = most
    this.standard = { standard, always: new Set(), never: new Set() }
  }

  /** Nobody has set anything: there is no need to know who it is. */
  get untouched(): boolean {
    return this.#whole && this.#known.size === 0 && this.#changed.size === 0
  }

  get size(): number {
    return this.#known.size
  }

  /** What an account has set, or the standard. At once, but for hosts with very many who did. */
  of(account: number): Later<Preferences> {
    const known = this.#known.get(account)
    if (known) return known
    return this.#whole && !this.#changed.has(account) ? this.standard : this.#read(account)
  }

  async load(): Promise<void> {
    const { fresh } = this.#reading()
    // With the first connection: a start need not wait for one more.
    const rows: Row[] = await this.#database.knex(TABLE).limit(this.#most + 1)
    if (!fresh()) return this.load()
    this.#whole = rows.length <= this.#most
    this.#changed.clear()
    if (this.#whole) this.#known = new Map(rows.map((row) => [row.account, preferences(row)]))
  }

  /** By another node. */
  changed(account: number): void {
    this.#changes++
    this.#known.delete(account)
    if (this.#whole) this.#changed.add(account)
    // Beyond the bound each is read when somebody asks.
    if (this.#changed.size > this.#most) this.forgetAll()
  }

  /** What others set lately; where the last look at all of them is long ago, all of them. */
  async again(now: number): Promise<void> {
    if (now - this.#loaded < OFTEN) {
      while (!(await this.refresh(now)));
      return
    }
    this.#loaded = now
    this.forgetAll()
    await this.load()
  }

  /** Read when somebody asks, until they are loaded again. */
  forgetAll(): void {
    this.#changes++
    this.#whole = false
    this.#known.clear()
    this.#changed.clear()
  }

  /** While other nodes cannot be heard, again and again. False where something was set meanwhile. */
  async refresh(now: number): Promise<boolean> {
    const { fresh } = this.#reading()
    const rows: Row[] = await this.#table().where('changed', '>', now - RECENT)
    if (!fresh()) return false
    for (const row of rows) this.#know(row.account, preferences(row))
    return true
  }

  /** From the commit on it counts: call `apply` then. */
  write(entry: JournalEntry, account: number, set: Preferences & { now: number }): void {
    const row: Row = {
      account,
      standard: set.standard,
      always: JSON.stringify([...set.always]),
      never: JSON.stringify([...set.never]),
      changed: set.now,
    }
    entry.write(async (trx) => {
      await trx(TABLE).insert(row).onConflict('account').merge()
    })
  }

  apply(account: number, set: Preferences): void {
    this.#changes++
    this.#know(account, set)
  }

  forget(account: number): void {
    this.#changes++
    this.#known.delete(account)
  }

  async remove(account: number, trx: Knex.Transaction): Promise<void> {
    await trx(TABLE).where({ account }).delete()
  }

  async #read(account: number): Promise<Preferences> {
    const { fresh } = this.#reading()
    const row: Row | undefined = await this.#table().where({ account }).first()
    if (!fresh()) return this.of(account)
    const read = row ? preferences(row) : this.standard
    this.#know(account, read)
    return read
  }

  #reading(): { fresh(): boolean } {
    const changes = this.#changes
    return { fresh: () => this.#changes === changes }
  }

  #know(account: number, set: Preferences): void {
    this.#changed.delete(account)
    this.#known.delete(account)
    this.#known.set(account, set)
    if (this.#known.size <= this.#most) return
    this.#whole = false
    this.#known.delete(this.#known.keys().next().value!)
  }

  #table(): Knex.QueryBuilder {
    return this.#database.reader(TABLE)
  }
}

function preferences({ standard, always, never }: Row): Preferences {
  return {
    standard: standard as Standard,
    always: new Set(JSON.parse(always) as string[]),
    never: new Set(JSON.parse(never) as string[]),
  }
}
