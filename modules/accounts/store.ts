// The SQL of accounts and their keys, for one host. It knows no policy: names are prepared, keys are
// derived, and who may do what is decided elsewhere. Removing is in removal-store.ts.

import type { Knex } from 'knex'
import { type Database, isUniqueViolation } from '../../lib/storage/database.js'
import { GatheredReads } from '../../lib/storage/gathered-reads.js'
import type { HashName } from './hashing.js'
import type { ScramKeys } from './scram-keys.js'

export interface AccountRow {
  readonly number: number
  readonly local: string
  readonly disabled: boolean
  readonly created: number
}

export interface NewAccount {
  readonly local: string
  readonly skeleton: string
  readonly created: number
  readonly keys: readonly ScramKeys[]
}

/** What else one transaction does for an account that it creates. */
export type Within = (
  trx: Knex.Transaction,
  made: { local: string; number: number },
) => Promise<void>

export interface Creation {
  readonly force?: boolean
  readonly within?: Within
}

export type Refusal = 'taken' | 'removed' | 'alike'

export interface AccountWithKeys {
  readonly account: AccountRow
  readonly keys: ScramKeys[]
}

interface KeyRow {
  hash: HashName | null
  salt: Buffer
  iterations: number
  stored_key: Buffer
  server_key: Buffer
}

const COLUMNS = ['number', 'local', 'disabled', 'created']

export class AccountStore {
  readonly #database: Database
  readonly #host: string
  readonly #plain = new GatheredReads((locals) => this.#find(locals))
  readonly #withKeys = new GatheredReads((locals) => this.#findWithKeys(locals))

  constructor(database: Database, host: string) {
    this.#database = database
    this.#host = host
  }

  find(local: string): Promise<AccountRow | undefined> {
    return this.#plain.read(local)
  }

  async #find(locals: readonly string[]): Promise<ReadonlyMap<string, AccountRow>> {
    const found: AccountRow[] = await this.#read('accounts')
      .where({ host: this.#host })
      .whereIn('local', [...locals])
      .select(...COLUMNS)
    return new Map(found.map((one) => [one.local, row(one)]))
  }

  /** In one query, so that a name that nobody has takes as long as any other (SEC-22). */
  findWithKeys(local: string): Promise<AccountWithKeys | undefined> {
    return this.#withKeys.read(local)
  }

  async #findWithKeys(locals: readonly string[]): Promise<Map<string, AccountWithKeys>> {
    const rows: (AccountRow & KeyRow)[] = await this.#read('accounts')
      .leftJoin('account_keys', 'account_keys.number', 'accounts.number')
      .where({ host: this.#host })
      .whereIn('local', [...locals])
      .select('accounts.number as number', 'local', 'disabled', 'created')
      .select('hash', 'salt', 'iterations', 'stored_key', 'server_key')
    const found = new Map<string, AccountWithKeys>()
    for (const one of rows) {
      const known = found.get(one.local) ?? { account: row(one), keys: [] }
      if (one.hash !== null) known.keys.push(readKeys(one))
      found.set(one.local, known)
    }
    return found
  }

  /** Its number, or the reason why it cannot be. */
  async create(
    account: NewAccount,
    { force = false, within }: Creation,
  ): Promise<number | Refusal> {
    try {
      return await this.#database.transaction(async (trx) => {
        const refusal = await this.#refusal(trx, account, force)
        if (refusal !== undefined) return refusal
        const number = await this.#insert(trx, account)
        await within?.(trx, { local: account.local, number })
        return number
      })
    } catch (error) {
      if (isUniqueViolation(error)) return 'taken'
      throw error
    }
  }

  async #refusal(
    trx: Knex.Transaction,
    { local, skeleton }: NewAccount,
    force: boolean,
  ): Promise<Refusal | undefined> {
    const host = this.#host
    // One name has one skeleton, so this finds the name itself too.
    const alike: string[] = await trx('accounts').where({ host, skeleton }).pluck('local')
    if (alike.includes(local)) return 'taken'
    if (force) return undefined
    if (await trx('account_tombstones').where({ host, local }).first('number')) return 'removed'
    return alike.length > 0 ? 'alike' : undefined
  }

  async #insert(trx: Knex.Transaction, account: NewAccount): Promise<number> {
    const { keys, ...columns } = account
    const [made] = await trx('accounts')
      .insert({ host: this.#host, disabled: false, ...columns })
      .returning('number')
    await insertKeys(trx, made.number, keys)
    return made.number
  }

  /** These keys and no others. */
  async replaceKeys(number: number, keys: readonly ScramKeys[]): Promise<void> {
    await this.#database.transaction(async (trx) => {
      await trx('account_keys').where({ number }).delete()
      await insertKeys(trx, number, keys)
    })
  }

  /**
   * Keys of the same password in another form, beside the others: only while the account still has
   * the keys that this password was checked against.
   */
  addKeys(number: number, checked: ScramKeys, keys: readonly ScramKeys[]): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      const { hash, storedKey } = checked
      const still = await trx('account_keys').where({ number, hash, stored_key: storedKey }).first()
      if (!still) return false
      const given = keys.map((key) => key.hash)
      await trx('account_keys').where({ number }).whereIn('hash', given).delete()
      await insertKeys(trx, number, keys)
      return true
    })
  }

  async disable(number: number, disabled: boolean): Promise<void> {
    await this.#database.knex('accounts').where({ number }).update({ disabled })
  }

  /** In the order of their numbers. */
  async list(page: {
    after: number
    limit: number
    disabled: boolean | undefined
  }): Promise<AccountRow[]> {
    const rows = await this.#all(page.disabled)
      .where('number', '>', page.after)
      .orderBy('number')
      .limit(page.limit)
      .select(...COLUMNS)
    return rows.map(row)
  }

  async count(disabled: boolean | undefined): Promise<number> {
    const found = await this.#all(disabled).count({ count: '*' }).first()
    return Number(found?.count ?? 0)
  }

  /** Which of these accounts are there, and not disabled */
  async living(numbers: readonly number[]): Promise<ReadonlySet<number>> {
    const found: number[] = await this.#all(false).whereIn('number', numbers).pluck('number')
    return new Set(found)
  }

  /** Names of accounts with fewer than these keys, at most so many. Asked before anything reads beside it. */
  async lacking(wanted: readonly HashName[], limit: number): Promise<Map<string, HashName[]>> {
    const rows: { local: string; hash: HashName | null }[] = await this.#database
      .knex('accounts')
      .leftJoin('account_keys', 'account_keys.number', 'accounts.number')
      .where('host', this.#host)
      .whereIn('accounts.number', this.#short(wanted, limit))
      .select('local', 'hash')
    const present = new Map<string, HashName[]>()
    for (const { local, hash } of rows) {
      present.set(local, [...(present.get(local) ?? []), ...(hash ? [hash] : [])])
    }
    return present
  }

  #short(wanted: readonly HashName[], limit: number): Knex.QueryBuilder {
    return this.#database
      .knex('accounts as a')
      .leftJoin('account_keys as k', (join) =>
        join.on('k.number', 'a.number').onIn('k.hash', [...wanted]),
      )
      .where('a.host', this.#host)
      .groupBy('a.number')
      .havingRaw('count(k.hash) between 1 and ?', [wanted.length - 1])
      .limit(limit)
      .select('a.number')
  }

  /** Made by whoever asks first; the same for every node from then on. */
  async secret(made: Buffer): Promise<Buffer> {
    const { knex } = this.#database
    const host = this.#host
    await knex('account_secrets').insert({ host, secret: made }).onConflict('host').ignore()
    return (await knex('account_secrets').where({ host }).first('secret')).secret
  }

  #all(disabled: boolean | undefined): Knex.QueryBuilder {
    const accounts = this.#read('accounts').where({ host: this.#host })
    return disabled === undefined ? accounts : accounts.where({ disabled })
  }

  #read(table: string): Knex.QueryBuilder {
    return this.#database.reader(table)
  }
}

function readKeys(found: KeyRow): ScramKeys {
  return {
    hash: found.hash!,
    salt: found.salt,
    iterations: found.iterations,
    storedKey: found.stored_key,
    serverKey: found.server_key,
  }
}

function row({ number, local, disabled, created }: AccountRow): AccountRow {
  return { number, local, disabled: Boolean(disabled), created: Number(created) }
}

async function insertKeys(
  trx: Knex.Transaction,
  number: number,
  keys: readonly ScramKeys[],
): Promise<void> {
  if (keys.length === 0) return
  await trx('account_keys').insert(
    keys.map((key) => ({
      number,
      hash: key.hash,
      salt: key.salt,
      iterations: key.iterations,
      stored_key: key.storedKey,
      server_key: key.serverKey,
    })),
  )
}
