// Rosters in the database. A change reads the item, alters it and writes it within one transaction,
// under a lock on the account's version: what another session or node did meanwhile is never lost.
// Removed items are remembered up to a bound, so that a client can be told only what changed.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import { fromWire, toWire } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { GatheredReads } from '../../lib/storage/gathered-reads.js'
import { blankItem, type Item, settled } from './item.js'
import type { Subscription } from './subscriptions.js'

/** LIM-roster-removals: beyond it all are forgotten, and clients get the whole roster once. */
const MOST_REMOVED = 100

export interface StoredRoster {
  readonly version: number
  /** Removals up to this version are forgotten. */
  readonly floor: number
  readonly items: readonly Item[]
}

export interface StoredChange {
  readonly before: Item
  readonly now: Item
  readonly version: number
  /** Set where removals were forgotten. */
  readonly floor: number | undefined
}

export type Alter = (item: Item) => Item

interface Row {
  account: number
  contact: string
  name: string
  groups: string
  subscription: string
  pending_out: boolean
  pending_in: boolean
  approved: boolean
  listed: boolean
  removed: boolean
  request: string
  version: number
}

type LoadedRow = { owner: number; newest: number; floor: number } & (Row | { contact: null })

const NEXT_VERSION =
  'insert into roster_versions (account, version, floor) values (?, 1, 0) ' +
  'on conflict (account) do update set version = roster_versions.version + 1 returning version'

export class RosterStore {
  readonly #database: Database
  readonly #loading = new GatheredReads((accounts) => this.#load(accounts))

  constructor(database: Database) {
    this.#database = database
  }

  async load(account: number): Promise<StoredRoster> {
    return (await this.#loading.read(String(account))) ?? { version: 0, floor: 0, items: [] }
  }

  async #load(accounts: readonly string[]): Promise<ReadonlyMap<string, StoredRoster>> {
    // One statement: a version and its items are of the same moment.
    const rows: LoadedRow[] = await this.#database
      .reader('roster_versions as head')
      .leftJoin('roster_items as item', 'item.account', 'head.account')
      .whereIn('head.account', accounts.map(Number))
      .select('item.*', 'head.account as owner', 'head.version as newest', 'head.floor as floor')
    const found = new Map<string, StoredRoster & { items: Item[] }>()
    for (const row of rows) {
      const { owner, newest, floor, contact } = row
      const version = Number(newest)
      const roster = found.get(String(owner)) ?? { version, floor: Number(floor), items: [] }
      found.set(String(owner), roster)
      if (contact !== null) roster.items.push(toItem(row as Row))
    }
    return found
  }

  /** Of those that have any */
  async versions(accounts: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows: { account: number; version: number }[] = await this.#database
      .reader('roster_versions')
      .whereIn('account', accounts)
      .select('account', 'version')
    return new Map(rows.map(({ account, version }) => [account, Number(version)]))
  }

  async change(
    trx: Knex.Transaction,
    { account, contact }: { account: number; contact: Jid },
    alter: Alter,
  ): Promise<StoredChange> {
    const version = await nextVersion(trx, account)
    const row = await trx('roster_items').where({ account, contact: contact.text }).first()
    const before = row ? toItem(row) : blankItem(contact)
    const altered = alter(before)
    if (altered === before) return { before, now: before, version, floor: undefined }
    const now = { ...settled(altered, before), version }
    await write(trx, account, now)
    const floor = now.removed && !before.removed ? await forgetRemoved(trx, account) : undefined
    return { before, now, version, floor }
  }

  /** Accounts that have this address in their roster, listed or not. */
  async mentioning(trx: Knex.Transaction, contact: Jid): Promise<number[]> {
    return trx('roster_items').where({ contact: contact.text }).pluck('account')
  }

  async remove(trx: Knex.Transaction, account: number): Promise<void> {
    await trx('roster_items').where({ account }).delete()
    await trx('roster_versions').where({ account }).delete()
  }
}

async function nextVersion(trx: Knex.Transaction, account: number): Promise<number> {
  const [row] = (await trx.raw(NEXT_VERSION, [account])) as { version: number }[]
  return Number(row!.version)
}

async function write(trx: Knex.Transaction, account: number, item: Item): Promise<void> {
  const key = { account, contact: item.contact.text }
  if (item.listed || item.removed || item.pendingIn) {
    await trx('roster_items')
      .insert(toRow(account, item))
      .onConflict(['account', 'contact'])
      .merge()
  } else {
    await trx('roster_items').where(key).delete()
  }
}

async function forgetRemoved(trx: Knex.Transaction, account: number): Promise<number | undefined> {
  const removed = { account, removed: true }
  const count = await trx('roster_items').where(removed).count({ count: '*' }).first()
  if (Number(count?.count ?? 0) <= MOST_REMOVED) return undefined
  await trx('roster_items')
    .where({ ...removed, pending_in: false })
    .delete()
  await trx('roster_items').where(removed).update({ removed: false })
  const [row] = (await trx('roster_versions')
    .where({ account })
    .update({ floor: trx.ref('version') })
    .returning('floor')) as { floor: number }[]
  return row?.floor
}

function toItem(row: Row): Item {
  return {
    contact: Jid.parse(row.contact),
    name: row.name,
    groups: row.groups === '' ? none : JSON.parse(row.groups),
    subscription: row.subscription as Subscription,
    pendingOut: Boolean(row.pending_out),
    pendingIn: Boolean(row.pending_in),
    approved: Boolean(row.approved),
    listed: Boolean(row.listed),
    removed: Boolean(row.removed),
    request: toWire(row.request),
    version: Number(row.version),
  }
}

const none: readonly string[] = []

function toRow(account: number, item: Item): Row {
  return {
    account,
    contact: item.contact.text,
    name: item.name,
    groups: item.groups.length === 0 ? '' : JSON.stringify(item.groups),
    subscription: item.subscription,
    pending_out: item.pendingOut,
    pending_in: item.pendingIn,
    approved: item.approved,
    listed: item.listed,
    removed: item.removed,
    request: fromWire(item.request),
    version: item.version,
  }
}
