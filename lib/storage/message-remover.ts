// Taking messages out of the log, the same for both stores. What is much goes a bounded number at a time,
// each in a transaction of its own: others commit in between, and what a crash interrupts is asked again.
// Whatever was derived from a message hears of its end within the transaction.

import type { Knex } from 'knex'
import { KEPT } from './logged-message.js'
import type { LogWatcher } from './message-log.js'
import { MessageReader } from './message-reader.js'

/** Messages of one transaction that takes them away: nobody else writes meanwhile. */
const CHUNK = 1000
/** Of keys, of whose end nobody needs to hear */
const CHUNK_OF_KEYS = 5000

const DAY = 86_400_000

/** Each store names the rows of some keys in its own way. */
const SOME_KEYS = {
  sqlite: `(day, author, key) in
    (select day, author, key from message_keys where day < ? order by day, author, key limit ?)`,
  postgres: `ctid = any (array
    (select ctid from message_keys where day < ? order by day, author, key limit ?))`,
}

export abstract class MessageRemover extends MessageReader {
  readonly #watchers = new Set<LogWatcher>()

  watch(watcher: LogWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  protected async changed(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
    if (ids.length > 0) for (const watcher of this.#watchers) await watcher(trx, ids)
  }

  protected abstract dropWithin(
    trx: Knex.Transaction,
    owner: number,
    ids: readonly number[],
  ): Promise<void>

  async #dropSome(owner: number, ids: readonly number[]): Promise<void> {
    await this.database.transaction((trx) => this.dropWithin(trx, owner, ids))
  }

  async drop(owner: number, ids: readonly number[]): Promise<void> {
    for (let at = 0; at < ids.length; at += CHUNK)
      await this.#dropSome(owner, ids.slice(at, at + CHUNK))
  }

  /** A message goes when its last account lets go of it. */
  protected async dropRows(
    trx: Knex.Transaction,
    owner: number,
    ids: readonly number[],
  ): Promise<void> {
    const among = this.#among(trx, ids)
    await trx('archive').where({ owner }).where(among).delete()
    for (const side of ['sender', 'recipient'])
      await trx('messages')
        .where({ [side]: owner })
        .where(among)
        .update({ [side]: null })
    const gone: number[] = await trx('messages')
      .where({ sender: null, recipient: null })
      .where(among)
      .pluck('id')
    await this.changed(trx, gone)
    await trx('messages').where(this.#among(trx, gone)).delete()
  }

  /** One value however many ids: the text of the statement stays the same. */
  #among(trx: Knex.Transaction, ids: readonly number[]): Knex.Raw {
    return this.database.kind === 'sqlite'
      ? trx.raw('id in (select value from json_each(?))', `[${ids}]`)
      : trx.raw('id = any(?::bigint[])', [[...ids]])
  }

  async dropTaken(owner: number, taken: number): Promise<number> {
    const waiting = this.pending(owner)
      .filter(({ id, flags }) => id <= taken && (flags & KEPT) === 0)
      .map(({ id }) => id)
    const stored: number[] = await this.reader('archive')
      .where('owner', owner)
      .where('id', '<=', taken)
      .whereRaw(`flags & ${KEPT} = 0`)
      .limit(CHUNK)
      .pluck('id')
    const ids = [...new Set([...stored, ...waiting])]
    await this.drop(owner, ids)
    return ids.length
  }

  /** Those by which nothing is known again: of the day before, some still are. */
  protected async dropKeys(now: number): Promise<boolean> {
    const yesterday = Math.floor(now / DAY) - 1
    const some = SOME_KEYS[this.database.kind]
    const dropped = await this.database
      .knex('message_keys')
      .whereRaw(some, [yesterday, CHUNK_OF_KEYS])
      .delete()
    return dropped === CHUNK_OF_KEYS
  }

  async clear(owner: number): Promise<boolean> {
    const ids = await this.#some(owner, this.reader)
    if (ids.length > 0) await this.#dropSome(owner, ids)
    return ids.length === CHUNK
  }

  async forget(owner: number, trx: Knex.Transaction): Promise<void> {
    for (;;) {
      const ids = await this.#some(owner, trx)
      if (ids.length > 0) await this.dropWithin(trx, owner, ids)
      if (ids.length < CHUNK) return
    }
  }

  /** What waits is asked for first: while the table is read, rows may go there. */
  async #some(owner: number, knex: Knex): Promise<number[]> {
    const waiting = this.pending(owner).slice(0, CHUNK)
    const stored: number[] = await knex('archive').where({ owner }).limit(CHUNK).pluck('id')
    return [...new Set([...waiting.map(({ id }) => id), ...stored])].slice(0, CHUNK)
  }
}
