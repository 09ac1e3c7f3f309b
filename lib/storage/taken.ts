// Up to which message the devices of an account have everything: the cursor from which somebody who
// comes back without an archive goes on, and by which a message counts as delivered. It only moves
// forward, and not past what one device alone was sent by its full address before it has that. In memory
// it is exact; on disk it follows with the next group of the journal, so that after a crash a message may
// be delivered again, but none is forgotten. Where several nodes write the log, older messages may be on their
// way behind one that was taken: then what is on disk follows as late as none can be.

import { Generations } from '../ops/generations.js'
import { ByName } from './by-name.js'
import type { Database } from './database.js'
import type { Journal } from './journal.js'

/** LIM-taken: accounts whose cursor is in memory */
const MOST = 100_000
/** LIM-taken-waiting: cursors that wait until they may be on disk, in portions, and portions */
const MOST_WAITING = 300_000
const MOST_PORTIONS = 30
/** LIM-taken-apart: accounts of which it is known what they took beyond the cursor, and messages of each */
const MOST_APART = 10_000
const MOST_OF_ONE = 1000

const nothing: ReadonlySet<number> = new Set()

/** Cursors of the same time */
interface Portion {
  readonly ids: Map<number, number>
  highest: number
}

export class Taken {
  /** The highest number that may be on disk; undefined where this node alone writes the log. */
  certain: () => number | undefined = () => undefined
  readonly #database: Database
  readonly #journal: Journal
  readonly #known = new Generations<number, number>(MOST)
  #young: Portion = { ids: new Map(), highest: 0 }
  #waiting: Portion[] = []
  readonly #byName = new Map<number, ByName>()
  readonly #apart = new Map<number, Set<number>>()

  constructor(database: Database, journal: Journal) {
    this.#database = database
    this.#journal = journal
  }

  advance(account: number, wanted: number): void {
    const byName = this.#byName.get(account)
    const id = byName ? byName.upTo(wanted) : wanted
    const known = this.#known.get(account)
    if (known !== undefined && known >= id) return
    this.#known.set(account, id)
    const certain = this.certain()
    if (certain === undefined || id <= certain) this.#journal.ride('taken', { account, id })
    else this.#wait(account, id)
  }

  #wait(account: number, id: number): void {
    const young = this.#young
    young.ids.set(account, id)
    if (id > young.highest) young.highest = id
    if (young.ids.size >= MOST_WAITING / MOST_PORTIONS) this.#close()
  }

  /** Where there are too many, the oldest are lost: what they passed comes again. */
  #close(): void {
    if (this.#young.ids.size === 0) return
    this.#waiting.push(this.#young)
    if (this.#waiting.length > MOST_PORTIONS) this.#waiting.shift()
    this.#young = { ids: new Map(), highest: 0 }
  }

  /** What the disk does not say yet of an account that may come back on another node */
  ahead(account: number): number | undefined {
    const certain = this.certain()
    const known = this.#known.get(account)
    return certain !== undefined && known !== undefined && known > certain ? known : undefined
  }

  /** Another node said so when a device went: nothing of it is written here. */
  learn(account: number, id: number): void {
    if ((this.#known.get(account) ?? 0) < id) this.#known.set(account, id)
  }

  /** Once in a while: what has become certain may be written. */
  ride(): void {
    this.#close()
    const certain = this.certain() ?? Number.MAX_SAFE_INTEGER
    const due = this.#waiting.filter(({ highest }) => highest <= certain)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ highest }) => highest > certain)
    for (const { ids } of due)
      for (const [account, id] of ids) this.#journal.ride('taken', { account, id })
  }

  /** Another node may have moved it since this one looked. */
  async of(account: number): Promise<number> {
    const row = await this.#database.reader('taken').where({ account }).first()
    return Math.max(row?.id ?? 0, this.#known.get(account) ?? 0)
  }

  // By name

  /** This device alone is sent this message. */
  owe(account: number, id: number, resource: string): void {
    let byName = this.#byName.get(account)
    if (!byName) this.#byName.set(account, (byName = new ByName()))
    byName.add(id, resource)
  }

  /** A device of another node alone is sent this message: whether it has it is to be asked for. */
  oweElsewhere(account: number, id: number, resource: string): void {
    let byName = this.#byName.get(account)
    if (!byName) this.#byName.set(account, (byName = new ByName()))
    byName.addElsewhere(id, resource)
  }

  /** What this device is owed it is owed by another node from now on. */
  leave(account: number, resource: string): void {
    this.#byName.get(account)?.leave(resource)
  }

  /** Accounts, with what their devices on other nodes are owed */
  *allElsewhere(): Generator<{ account: number; id: number; resource: string }> {
    for (const [account, byName] of this.#byName)
      for (const owed of byName.elsewhere()) yield { account, ...owed }
  }

  /** Some device has this message. Whether it was owed to one alone. */
  had(account: number, id: number): boolean {
    const byName = this.#byName.get(account)
    if (!byName?.remove(id)) return false
    this.#goOn(account, byName)
    return true
  }

  /** What a device has not acknowledged that is gone: none of it is passed until `givenBack`. */
  owedTo(account: number, resource: string): readonly number[] {
    return this.#byName.get(account)?.of(resource) ?? []
  }

  /** To other devices; or to nobody, and then the cursor stays for whoever comes. */
  givenBack(account: number, id: number, taken: boolean): void {
    const byName = this.#byName.get(account)
    if (!byName) return
    if (!taken) byName.wanted = 0
    byName.remove(id)
    this.#goOn(account, byName)
  }

  #goOn(account: number, byName: ByName): void {
    const { wanted } = byName
    if (byName.empty) this.#byName.delete(account)
    if (wanted > 0) this.advance(account, wanted)
  }

  // Out of turn

  /** A device has this message that may lack older ones: the cursor says nothing of it. */
  tookApart(account: number, id: number): void {
    let ids = this.#apart.get(account)
    if (!ids) this.#apart.set(account, (ids = new Set()))
    ids.add(id)
    if (ids.size > MOST_OF_ONE) ids.delete(ids.values().next().value!)
    if (this.#apart.size > MOST_APART) this.#apart.delete(this.#apart.keys().next().value!)
  }

  apart(account: number): ReadonlySet<number> {
    return this.#apart.get(account) ?? nothing
  }

  /** Accounts, with what they took beyond their cursors */
  allApart(): IterableIterator<[account: number, ids: ReadonlySet<number>]> {
    return this.#apart.entries()
  }

  /** These are not in the log any more, or the cursor has passed them. */
  forgetApart(account: number, gone: Iterable<number>): void {
    const ids = this.#apart.get(account)
    if (!ids) return
    for (const id of gone) ids.delete(id)
    // It goes to the end: whoever looks at some at a time comes to all.
    this.#apart.delete(account)
    if (ids.size > 0) this.#apart.set(account, ids)
  }
}
