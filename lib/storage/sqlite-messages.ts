// The message log on SQLite. A message is appended at once; its rows in the index follow in sorted
// batches (sqlite-index.ts), because a commit that touches the index of many accounts dirties a page for
// each. Numbers go on from the highest ever given, also when the newest message is gone.

import type { Knex } from 'knex'
import type { Clock } from '../ops/clock.js'
import { fromWire } from '../xmpp/element.js'
import type { Database } from './database.js'
import { type LoggedMessage, numberAt, RETRACTED } from './logged-message.js'
import { type IndexRow, type MessageLog, peerKey } from './message-log.js'
import { MessageRemover } from './message-remover.js'
import { type IndexedMessage, indexRows, ownersOf } from './message-rows.js'
import { DeferredIndex, type Undo } from './sqlite-index.js'
import { Unsent } from './trouble.js'
import { type Answer, type Row, type Write, writeWithin } from './writes.js'

/** Messages of one step of long work: the thread does nothing else meanwhile. */
const CHUNK = 2000

const DAY = 86_400_000

const INSERT = 'insert into messages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const GUARDED = `insert into messages select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
  where exists (select 1 from message_keys where day = ?12 and author = ?13 and key = ?14 and id = ?1)`
const CLAIM = `insert or ignore into message_keys (day, author, key, id) select ?1, ?2, ?3, ?4
  where not exists (select 1 from message_keys where day = ?1 - 1 and author = ?2 and key = ?3 and id > ?5)`

const INDEXED = [
  'id',
  'sender',
  'recipient',
  'sender_flags',
  'recipient_flags',
  'from_peer',
  'to_peer',
  'label',
]

const STORED = `select ${INDEXED} from messages where id between ? and ? order by id limit ?`

/** Places in archive_progress: what the index has reached; the highest number when one was dropped. */
const REACHED = 1
const HIGHEST = 2

export class MessageStore extends MessageRemover implements MessageLog {
  readonly #clock: Clock
  readonly #index: DeferredIndex
  #last: number
  /** The first number of a group of which nobody has said yet what became of it */
  #open: number | undefined

  static async open(database: Database, clock: Clock): Promise<MessageStore> {
    const [{ last }] = (await database.knex.raw('select max(id) as last from messages')) as [
      { last: number | null },
    ]
    const rows: { place: number; indexed: number }[] = await database.knex('archive_progress')
    const places = new Map(rows.map(({ place, indexed }) => [place, indexed]))
    const reached = places.get(REACHED) ?? 0
    const log = new MessageStore(database, clock, reached)
    log.#last = Math.max(last ?? 0, reached, places.get(HIGHEST) ?? 0)
    await log.#rebuild(reached)
    return log
  }

  private constructor(database: Database, clock: Clock, reached: number) {
    super(database)
    this.#clock = clock
    this.#last = reached
    this.#index = new DeferredIndex(database, reached, (from, to) => this.#entries(from, to))
  }

  // For the journal

  writes(messages: readonly LoggedMessage[]): Write[] {
    if (this.#index.full) this.#refuse()
    if (this.#open !== undefined) this.#index.doubt(this.#open, this.#last)
    const now = this.#clock.now()
    this.#last = Math.max(this.#last, numberAt(now) - 1)
    this.#open = this.#last + 1
    for (const message of messages) message.id = ++this.#last
    const day = Math.floor(now / DAY)
    const since = numberAt(now - DAY)
    const keyed = messages.filter(({ key }) => key !== '')
    const plain = messages.filter(({ key }) => key === '')
    // Always the first three, so that the answers have their places.
    return [
      { sql: CLAIM, runs: keyed.map(({ author, key, id }) => [day, author, key, id, since]) },
      {
        sql: GUARDED,
        counted: true,
        runs: keyed.map((message) => [...columns(message), day, message.author, message.key]),
      },
      { sql: INSERT, runs: plain.map(columns) },
      ...this.#index.step(),
    ]
  }

  /** Messages find a place on the disk, their rows in the index do not: nobody would find them. */
  #refuse(): never {
    this.#index.flush().catch(() => undefined)
    throw new Unsent(new Error('the index of messages does not get to the disk'))
  }

  written(messages: readonly LoggedMessage[], answers: readonly Answer[]): void {
    let keyed = 0
    for (const message of messages)
      this.#remember(message, message.key === '' || answers[1]![keyed++] !== 0)
    this.#open = undefined
    this.#index.added(this.#last)
  }

  async recover(messages: readonly LoggedMessage[]): Promise<void> {
    const ids = messages.map(({ id }) => id)
    const there = new Set<number>(
      await this.database.knex('messages').whereIn('id', ids).pluck('id'),
    )
    for (const message of messages) this.#remember(message, there.has(message.id))
    this.#open = undefined
    this.#index.added(this.#last)
  }

  #remember(message: LoggedMessage, stored: boolean): void {
    message.duplicate = !stored
    if (!stored) {
      message.id = 0
      return
    }
    const { id, sender, recipient, from, to, label } = message
    if (sender)
      this.#index.add({ owner: sender.owner, id, peer: peerKey(to), flags: sender.flags, label })
    if (recipient) {
      const { owner, flags } = recipient
      this.#index.add({ owner, id, peer: peerKey(from), flags, label })
    }
  }

  // The index

  protected pending(owner: number): readonly IndexRow[] {
    return this.#index.rows(owner)
  }

  indexed(): Promise<void> {
    return this.#index.flushed()
  }

  /** After a crash: what the last batches had not reached. */
  async #rebuild(reached: number): Promise<void> {
    for (let from = reached + 1; from <= this.#last; ) {
      const messages = await this.#stored({ from, to: this.#last, limit: CHUNK })
      for (const message of messages) for (const row of indexRows(message)) this.#index.add(row)
      const last = messages.length < CHUNK ? this.#last : messages.at(-1)!.id
      this.#index.added(last)
      if (this.#index.full) await this.#index.flush()
      from = last + 1
    }
  }

  async #entries(from: number, to: number): Promise<IndexRow[]> {
    const messages = await this.#stored({ from, to, limit: -1 })
    return messages.flatMap(indexRows)
  }

  #stored(range: { from: number; to: number; limit: number }): Promise<IndexedMessage[]> {
    return this.database.knex.raw(STORED, [range.from, range.to, range.limit])
  }

  // Changes

  async replace(id: number, text: string): Promise<void> {
    await this.database.transaction(async (trx) => {
      const message: IndexedMessage | undefined = await trx('messages').where({ id }).first(INDEXED)
      if (!message) return
      const sender_flags = message.sender_flags | RETRACTED
      const recipient_flags = message.recipient_flags | RETRACTED
      await trx('messages').where({ id }).update({ text, sender_flags, recipient_flags })
      await this.changed(trx, [id])
      for (const owner of ownersOf(message)) {
        const flags = trx.raw('flags | ?', [RETRACTED])
        await trx('archive').where({ owner, id }).update({ flags })
        ifFailed(trx, this.#index.mark(owner, id, RETRACTED))
      }
    })
  }

  protected async dropWithin(
    trx: Knex.Transaction,
    owner: number,
    ids: readonly number[],
  ): Promise<void> {
    const gone = new Set(ids)
    await this.dropRows(trx, owner, ids)
    await this.#keepHighest(trx)
    ifFailed(
      trx,
      this.#index.remove(owner, ({ id }) => gone.has(id)),
    )
  }

  /** The newest message may be gone when the server starts again: its number is not given twice. */
  async #keepHighest(trx: Knex.Transaction): Promise<void> {
    const row = { place: HIGHEST, indexed: this.#last }
    await writeWithin(trx, [{ put: 'archive_progress', rows: [row] }])
  }

  async tidy(): Promise<boolean> {
    // Where little is written, rows would wait for days: all of them are made again after a crash.
    await this.indexed()
    return this.dropKeys(this.#clock.now())
  }

  expire(time: number): Promise<boolean> {
    return this.database.transaction(async (trx) => {
      const range = trx('messages').select(INDEXED).where('id', '<', numberAt(time))
      const old: IndexedMessage[] = await range.orderBy('id').limit(CHUNK)
      if (old.length === 0) return false
      const upTo = old.at(-1)!.id
      const runs = old.flatMap((message) => ownersOf(message).map((owner) => [owner, message.id]))
      await writeWithin(trx, [
        { sql: 'delete from archive where owner = ? and id = ?', runs },
        { sql: 'delete from messages where id <= ?', runs: [[upTo]] },
      ])
      await this.#keepHighest(trx)
      for (const owner of this.#index.owners())
        ifFailed(
          trx,
          this.#index.remove(owner, ({ id }) => id <= upTo),
        )
      return old.length === CHUNK
    })
  }

  /** What did not reach the disk is made again when the server starts. */
  async close(): Promise<void> {
    await this.indexed().catch(() => undefined)
  }
}

function columns(message: LoggedMessage): Row[string][] {
  const { id, sender, recipient, from, to, label } = message
  return [
    id,
    sender?.owner ?? null,
    recipient?.owner ?? null,
    sender?.flags ?? 0,
    recipient?.flags ?? 0,
    from.text,
    to.text,
    label,
    fromWire(message.text),
    peerKey(from),
    peerKey(to),
  ]
}

/** In memory the rows change within the transaction; where that fails they are put back. */
function ifFailed(trx: Knex.Transaction, undo: Undo): void {
  trx.executionPromise.catch(undo)
}
