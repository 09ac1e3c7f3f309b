// Rosters in memory, so that presence costs no query: whole rosters, bounded by the number of items
// in all of them together; the one that was not used for longest goes first. The database is the
// truth; a change is applied here after its commit, and what another node changed is forgotten. While
// the others cannot be heard a roster is believed for a moment only.

import type { Clock } from '../../lib/ops/clock.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { blankItem, type Item } from './item.js'
import type { Later } from '../../lib/core/later.js'
import type { RosterStore, StoredChange, StoredRoster } from './store.js'
import { hasFrom, hasTo } from './subscriptions.js'

/** LIM-roster-cache: items of all rosters together; some 300 bytes each */
const MOST_ITEMS = 500_000
/** An empty roster is not free either. */
const ROSTER_COST = 2

/** The roster of one account, as of its version. Lists are made when somebody asks. */
export class Roster {
  readonly #items: Map<string, Item>
  #version: number
  #floor: number
  #seenBy: readonly Jid[] | undefined
  #sees: readonly Jid[] | undefined
  #listed: number

  constructor(stored: StoredRoster) {
    this.#items = new Map(stored.items.map((item) => [item.contact.text, item]))
    this.#version = stored.version
    this.#floor = stored.floor
    this.#listed = stored.items.filter((item) => item.listed).length
  }

  get version(): number {
    return this.#version
  }

  get floor(): number {
    return this.#floor
  }

  /** Removed items and requests included */
  get size(): number {
    return this.#items.size
  }

  /** Items that clients see */
  get length(): number {
    return this.#listed
  }

  /** A blank one where there is none. */
  item(contact: Jid): Item {
    return this.#items.get(contact.text) ?? blankItem(contact)
  }

  items(): Item[] {
    return [...this.#items.values()].filter((item) => item.listed)
  }

  /** Contacts whose request waits for an answer. */
  requests(): Item[] {
    return [...this.#items.values()].filter((item) => item.pendingIn)
  }

  /** Listed and removed ones, the oldest change first. */
  changedSince(version: number): Item[] {
    const changed = [...this.#items.values()].filter(
      (item) => item.version > version && (item.listed || item.removed),
    )
    return changed.sort((one, other) => one.version - other.version)
  }

  /** Contacts that see the account's presence. */
  get seenBy(): readonly Jid[] {
    return (this.#seenBy ??= this.#contacts(hasFrom))
  }

  /** Contacts whose presence the account sees. */
  get sees(): readonly Jid[] {
    return (this.#sees ??= this.#contacts(hasTo))
  }

  #contacts(wanted: (item: Item) => boolean): readonly Jid[] {
    return [...this.#items.values()].filter(wanted).map((item) => item.contact)
  }

  /** A change may come twice, or after a newer one. */
  apply({ now, version, floor }: StoredChange): void {
    this.#version = Math.max(this.#version, version)
    const known = this.item(now.contact)
    if (now.version > known.version) this.#put(now, known)
    if (floor !== undefined) this.#forgetRemoved(floor)
  }

  #put(item: Item, known: Item): void {
    this.#listed += Number(item.listed) - Number(known.listed)
    if (item.listed || item.removed || item.pendingIn) this.#items.set(item.contact.text, item)
    else this.#items.delete(item.contact.text)
    this.#seenBy = undefined
    this.#sees = undefined
  }

  #forgetRemoved(floor: number): void {
    this.#floor = Math.max(this.#floor, floor)
    for (const [contact, item] of this.#items) {
      if (!item.removed || item.version > floor) continue
      if (item.pendingIn) this.#items.set(contact, { ...item, removed: false })
      else this.#items.delete(contact)
    }
  }
}

interface Kept {
  readonly roster: Roster
  readonly read: number
  cost: number
}

interface Loading {
  readonly promise: Promise<Roster>
  /** Committed while it was being read. */
  readonly changes: StoredChange[]
}

export interface RosterCacheOptions {
  readonly store: RosterStore
  readonly clock: Clock
  /** How old a roster may be: milliseconds. */
  believed(): number
  readonly most?: number
}

export class RosterCache {
  readonly #options: RosterCacheOptions
  readonly #kept = new Map<number, Kept>()
  readonly #loading = new Map<number, Loading>()
  #cost = 0

  constructor(options: RosterCacheOptions) {
    this.#options = options
  }

  /** Items and rosters in memory */
  get cost(): number {
    return this.#cost
  }

  get(account: number): Later<Roster> {
    const kept = this.#kept.get(account)
    if (!kept || !this.#believes(kept)) return this.#load(account)
    this.#kept.delete(account)
    this.#kept.set(account, kept)
    return kept.roster
  }

  #believes({ read }: Kept): boolean {
    const { clock, believed } = this.#options
    return read + believed() >= clock.now()
  }

  apply(account: number, change: StoredChange): void {
    this.#loading.get(account)?.changes.push(change)
    const kept = this.#kept.get(account)
    if (!kept) return
    // Another node made the one between: its word is on its way.
    if (change.version > kept.roster.version + 1) {
      this.#drop(account, kept)
      return
    }
    kept.roster.apply(change)
    this.#weigh(kept)
    this.#shrink(account)
  }

  forget(account: number): void {
    this.#loading.delete(account)
    const kept = this.#kept.get(account)
    if (kept) this.#drop(account, kept)
  }

  forgetAll(): void {
    this.#loading.clear()
    this.#kept.clear()
    this.#cost = 0
  }

  #load(account: number): Promise<Roster> {
    const running = this.#loading.get(account)
    if (running) return running.promise
    const changes: StoredChange[] = []
    const promise = this.#read(account, changes)
    this.#loading.set(account, { promise, changes })
    return promise
  }

  async #read(account: number, changes: readonly StoredChange[]): Promise<Roster> {
    try {
      const roster = new Roster(await this.#options.store.load(account))
      for (const change of changes) roster.apply(change)
      if (this.#loading.get(account)?.changes === changes) this.#keep(account, roster)
      return roster
    } finally {
      if (this.#loading.get(account)?.changes === changes) this.#loading.delete(account)
    }
  }

  #keep(account: number, roster: Roster): void {
    this.#forgetKept(account)
    const kept = { roster, read: this.#options.clock.now(), cost: 0 }
    this.#kept.set(account, kept)
    this.#weigh(kept)
    this.#shrink(account)
  }

  #forgetKept(account: number): void {
    const kept = this.#kept.get(account)
    if (kept) this.#drop(account, kept)
  }

  #weigh(kept: Kept): void {
    const cost = kept.roster.size + ROSTER_COST
    this.#cost += cost - kept.cost
    kept.cost = cost
  }

  #shrink(newest: number): void {
    for (const [account, kept] of this.#kept) {
      if (this.#cost <= (this.#options.most ?? MOST_ITEMS)) return
      if (account !== newest) this.#drop(account, kept)
    }
  }

  #drop(account: number, kept: Kept): void {
    this.#kept.delete(account)
    this.#cost -= kept.cost
  }
}
