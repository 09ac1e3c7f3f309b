// The message log on SQLite. A message is appended at once; its rows in the index follow in sorted
// batches, because a commit that touches the index of many accounts dirties a page for each. Until then
// they are in memory, where readers find them; after a crash they are made again from the messages.

import type { Knex } from 'knex'
import type { Clock } from '../ops/clock.js'
import { fromWire } from '../xmpp/element.js'
import { Jid } from '../xmpp/jid.js'
import type { Database } from './database.js'
import { type LoggedMessage, numberAt, RETRACTED } from './logged-message.js'
import { type IndexRow, type MessageLog, peerKey } from './message-log.js'
import { dropRows, indexRows, MessageReader } from './message-reader.js'
import type { Answer, Row, Write } from './writes.js'

/** How many rows wait for a batch. */
const BATCH = 20_000
/** Rows of one transaction: the thread does nothing else meanwhile. */
const CHUNK = 2000

const DAY = 86_400_000

const INSERT = 'insert into messages values (?, ?, ?, ?, ?, ?, ?, ?, ?)'
const GUARDED = `insert into messages select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
  where exists (select 1 from message_keys where day = ?10 and author = ?11 and key = ?12 and id = ?1)`
const CLAIM = `insert or ignore into message_keys (day, author, key, id) select ?1, ?2, ?3, ?4
  where not exists (select 1 from message_keys where day = ?1 - 1 and author = ?2 and key = ?3 and id > ?5)`

interface StoredMessage {
  id: number
  sender: number | null
  recipient: number | null
  sender_flags: number
  recipient_flags: number
  sent_by: string
  sent_to: string
  label: number
}

export class MessageStore extends MessageReader implements MessageLog {
  readonly #clock: Clock
  #last: number
  /** The newest that has rows in memory or on disk */
  #seen: number
  #pending = new Map<number, IndexRow[]>()
  #count = 0
  /** A batch on its way: still read from here. */
  #moving = new Map<number, IndexRow[]>()
  #batch: Promise<void> | undefined

  static async open(database: Database, clock: Clock): Promise<MessageStore> {
    const [{ last }] = (await database.knex.raw('select max(id) as last from messages')) as [
      { last: number | null },
    ]
    const log = new MessageStore(database, clock, last ?? 0)
    await log.#rebuild()
    return log
  }

  private constructor(database: Database, clock: Clock, last: number) {
    super(database)
    this.#clock = clock
    this.#last = last
    this.#seen = last
  }

  // For the journal

  writes(messages: readonly LoggedMessage[]): Write[] {
    const now = this.#clock.now()
    this.#last = Math.max(this.#last, numberAt(now) - 1)
    for (const message of messages) message.id = ++this.#last
    const day = Math.floor(now / DAY)
    const since = numberAt(now - DAY)
    const keyed = messages.filter(({ key }) => key !== 0)
    const plain = messages.filter(({ key }) => key === 0)
    // Always all three, so that the answers have their places.
    return [
      { sql: CLAIM, runs: keyed.map(({ author, key, id }) => [day, author, key, id, since]) },
      {
        sql: GUARDED,
        runs: keyed.map((message) => [...columns(message), day, message.author, message.key]),
      },
      { sql: INSERT, runs: plain.map(columns) },
    ]
  }

  written(messages: readonly LoggedMessage[], answers: readonly Answer[]): void {
    let keyed = 0
    for (const message of messages) {
      if (message.key !== 0) message.duplicate = answers[1]![keyed++] === 0
      if (!message.duplicate) this.#remember(message)
    }
    if (this.#count >= BATCH) void this.#flush()
  }

  async recover(messages: readonly LoggedMessage[]): Promise<void> {
    const ids = messages.map(({ id }) => id)
    const there = new Set<number>(
      await this.database.knex('messages').whereIn('id', ids).pluck('id'),
    )
    for (const message of messages) {
      message.duplicate = !there.has(message.id)
      if (!message.duplicate) this.#remember(message)
    }
  }

  #remember({ id, sender, recipient, from, to, label }: LoggedMessage): void {
    this.#seen = id
    if (sender)
      this.#index({ owner: sender.owner, id, peer: peerKey(to), flags: sender.flags, label })
    if (recipient)
      this.#index({
        owner: recipient.owner,
        id,
        peer: peerKey(from),
        flags: recipient.flags,
        label,
      })
  }

  #index(row: IndexRow): void {
    const rows = this.#pending.get(row.owner)
    if (rows) rows.push(row)
    else this.#pending.set(row.owner, [row])
    this.#count++
  }

  // The index

  protected pending(owner: number): readonly IndexRow[] {
    const moving = this.#moving.get(owner)
    const pending = this.#pending.get(owner)
    if (!moving) return pending ?? []
    return pending ? [...moving, ...pending] : moving
  }

  async indexed(): Promise<void> {
    while (this.#count > 0 || this.#batch) await (this.#batch ?? this.#flush())
  }

  #flush(): Promise<void> {
    this.#batch ??= this.#move().finally(() => {
      this.#batch = undefined
    })
    return this.#batch
  }

  async #move(): Promise<void> {
    const upTo = this.#seen
    const moving = this.#pending
    this.#moving = moving
    this.#pending = new Map()
    this.#count = 0
    try {
      const owners = [...moving.keys()].sort((a, b) => a - b)
      const rows = owners.flatMap((owner) => moving.get(owner)!)
      for (let at = 0; at < rows.length; at += CHUNK)
        await this.database.write([insertion(rows.slice(at, at + CHUNK))])
      await this.database.write([{ put: 'archive_progress', rows: [{ place: 1, indexed: upTo }] }])
    } catch {
      // Nothing is lost: they wait for the next batch, or are made again after a restart.
      for (const [owner, rows] of this.#pending)
        moving.set(owner, [...(moving.get(owner) ?? []), ...rows])
      this.#pending = moving
      this.#count = [...moving.values()].reduce((sum, rows) => sum + rows.length, 0)
      await new Promise((resolve) => setTimeout(resolve, 200))
    } finally {
      this.#moving = new Map()
    }
  }

  /** After a crash: what the last batches had not reached. */
  async #rebuild(): Promise<void> {
    const progress: { indexed: number } | undefined = await this.database
      .knex('archive_progress')
      .first()
    for (let after = progress?.indexed ?? 0; ; ) {
      const rows: StoredMessage[] = await this.database
        .knex('messages')
        .select(
          'id',
          'sender',
          'recipient',
          'sender_flags',
          'recipient_flags',
          'sent_by',
          'sent_to',
          'label',
        )
        .where('id', '>', after)
        .orderBy('id')
        .limit(CHUNK)
      for (const row of rows) for (const entry of entriesOf(row)) this.#index(entry)
      if (this.#count >= BATCH) await this.#flush()
      if (rows.length < CHUNK) return
      after = rows.at(-1)!.id
    }
  }

  // Changes

  async replace(id: number, text: string): Promise<void> {
    await this.indexed()
    await this.database.transaction(async (trx) => {
      const message: StoredMessage | undefined = await trx('messages').where({ id }).first()
      if (!message) return
      await trx('messages').where({ id }).update({ text })
      for (const { owner } of entriesOf(message))
        await trx('archive')
          .where({ owner, id })
          .update({ flags: trx.raw('flags | ?', [RETRACTED]) })
    })
  }

  async expire(time: number): Promise<boolean> {
    await this.indexed()
    return this.database.transaction(async (trx) => {
      const old: StoredMessage[] = await trx('messages')
        .where('id', '<', numberAt(time))
        .orderBy('id')
        .limit(CHUNK)
      for (const message of old)
        for (const { owner, id } of entriesOf(message))
          await trx('archive').where({ owner, id }).delete()
      if (old.length > 0) await trx('messages').where('id', '<=', old.at(-1)!.id).delete()
      await trx('message_keys')
        .where('day', '<', Math.floor(this.#clock.now() / DAY) - 1)
        .delete()
      return old.length === CHUNK
    })
  }

  async forget(owner: number, trx: Knex.Transaction): Promise<void> {
    // What is not indexed yet must not come back: the batch runs after this transaction and finds none.
    for (const rows of [this.#pending.get(owner), this.#moving.get(owner)])
      if (rows) await trx('archive').insert(rows).onConflict(['owner', 'id']).ignore()
    this.#pending.delete(owner)
    this.#moving.delete(owner)
    for (;;) {
      const ids: number[] = await trx('archive').where({ owner }).limit(CHUNK).pluck('id')
      if (ids.length > 0) await dropRows(trx, owner, ids)
      if (ids.length < CHUNK) return
    }
  }

  async close(): Promise<void> {
    await this.indexed()
  }
}

function insertion(rows: readonly IndexRow[]): Write {
  return {
    sql: 'insert or ignore into archive (owner, id, peer, flags, label) values (?, ?, ?, ?, ?)',
    runs: rows.map(({ owner, id, peer, flags, label }) => [owner, id, peer, flags, label]),
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
  ]
}

function entriesOf(message: StoredMessage): IndexRow[] {
  const from = peerKey(Jid.parse(message.sent_by))
  const to = peerKey(Jid.parse(message.sent_to))
  return indexRows({ ...message, from, to })
}
