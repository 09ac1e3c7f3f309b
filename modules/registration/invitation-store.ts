// The SQL of invitations, for one host. A use is taken in the transaction that creates the account,
// by one statement that cannot succeed twice for the same use.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'

export interface Invitation {
  readonly id: number
  readonly inviter: number | null
  /** Bare address, '' for the command line of the machine */
  readonly madeBy: string
  readonly local: string | null
  readonly contact: boolean
  /** How many are left */
  readonly uses: number
  readonly created: number
  readonly expires: number | null
}

export interface NewInvitation extends Omit<Invitation, 'id'> {
  readonly hash: string
}

const COLUMNS = ['id', 'inviter', 'made_by', 'local', 'contact', 'uses', 'created', 'expires']

export class InvitationStore {
  readonly #database: Database
  readonly #host: string

  constructor(database: Database, host: string) {
    this.#database = database
    this.#host = host
  }

  /** Its number; undefined where the inviter has as many open ones as are allowed. */
  async add({ madeBy, ...columns }: NewInvitation, most: number): Promise<number | undefined> {
    return this.#database.transaction(async (trx) => {
      const { inviter, created } = columns
      if (inviter !== null && (await this.#open(trx, inviter, created)) >= most) return undefined
      const row = { host: this.#host, made_by: madeBy, ...columns }
      const [made] = await trx('invitations').insert(row).returning('id')
      return made.id
    })
  }

  async find(hash: string, now: number): Promise<Invitation | undefined> {
    const found = await this.#valid(this.#database.knex, now)
      .where({ hash })
      .first(...COLUMNS)
    return found && read(found)
  }

  async list(now: number): Promise<Invitation[]> {
    const rows = await this.#valid(this.#database.reader, now)
      .orderBy('id')
      .select(...COLUMNS)
    return rows.map(read)
  }

  /** Whether an invitation other than this one keeps the name for somebody. */
  async isReserved(
    trx: Knex,
    { local, now, except }: { local: string; now: number; except?: number | undefined },
  ): Promise<boolean> {
    const others = this.#valid(trx, now).where({ local })
    if (except !== undefined) others.whereNot({ id: except })
    return (await others.first('id')) !== undefined
  }

  /** One use, if one is left; expiry was looked at before (XEP-0445 §4). */
  async take(trx: Knex.Transaction, id: number): Promise<boolean> {
    const mine = () => trx('invitations').where({ host: this.#host, id })
    const taken = await mine().where('uses', '>', 0).decrement('uses', 1)
    await mine().where('uses', 0).delete()
    return taken > 0
  }

  async remove(id: number): Promise<boolean> {
    return (await this.#database.knex('invitations').where({ host: this.#host, id }).delete()) > 0
  }

  async removeOf(trx: Knex.Transaction, inviter: number): Promise<void> {
    await trx('invitations').where({ inviter }).delete()
  }

  async removeExpired(before: number): Promise<void> {
    const all = this.#database.knex('invitations').where({ host: this.#host })
    await all.where('expires', '<', before).delete()
  }

  async #open(trx: Knex.Transaction, inviter: number, now: number): Promise<number> {
    const found = await this.#valid(trx, now).where({ inviter }).count({ count: '*' }).first()
    return Number(found?.count ?? 0)
  }

  #valid(knex: Knex, now: number): Knex.QueryBuilder {
    return knex('invitations')
      .where({ host: this.#host })
      .where('uses', '>', 0)
      .where((either) => either.whereNull('expires').orWhere('expires', '>', now))
  }
}

interface Row extends Omit<Invitation, 'madeBy'> {
  readonly made_by: string
}

function read({ made_by: madeBy, ...row }: Row): Invitation {
  const expires = row.expires === null ? null : Number(row.expires)
  return { ...row, madeBy, contact: Boolean(row.contact), created: Number(row.created), expires }
}
