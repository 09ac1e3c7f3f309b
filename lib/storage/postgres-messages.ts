// The message log on PostgreSQL: keys, numbers, messages and both sides' index rows in one statement.
// Numbers come from one row that a transaction holds until it has committed: whatever node and
// connection writes, messages become visible in the order of their numbers.

import { randomInt } from 'node:crypto'
import type { Knex } from 'knex'
import type { Clock } from '../ops/clock.js'
import { fromWire } from '../xmpp/element.js'
import { concerns, setLives, setPrevious } from './concerned.js'
import type { Database } from './database.js'
import { type LoggedMessage, numberAt, RETRACTED } from './logged-message.js'
import { type IndexRow, type MessageLog, peerKey } from './message-log.js'
import { MessageRemover } from './message-remover.js'
import { ownersOf, type Sides } from './message-rows.js'
import type { Answer, Write } from './writes.js'

const DAY = 86_400_000
const CHUNK = 2000

/** One node whose clock is ahead must not set the numbers of all ahead: a second at most. */
const OURS = `least($1::bigint, (extract(epoch from clock_timestamp()) * 1000 + 1000)::bigint * ${numberAt(1)})`
const ALONE = '$1::bigint'

const numbers = (time: string): string => `base as materialized (
    update message_clock set last = greatest(last, ${time} - 1) + $2::bigint
      where place = 1 returning last - $2::bigint as before
  ), given as (
    select * from unnest($3::bigint[], $4::bigint[], $5::integer[], $6::integer[], $7::text[],
      $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])
      with ordinality as rows (sender, recipient, sender_flags, recipient_flags, sent_by, sent_to,
        label, text, from_peer, to_peer, author, key, place)
  ), marked as (
    insert into message_clock (place, last) select $15::bigint, before from base
      on conflict (place) do update set last = excluded.last
  )`

const CLAIMED = `claimed as (
    insert into message_keys (day, author, key, id)
      select $16::integer, author, key, before + place from given, base
      where key <> '' and not exists (select 1 from message_keys earlier
        where earlier.day = $16::integer - 1 and earlier.author = given.author
          and earlier.key = given.key and earlier.id > $17::bigint)
      on conflict do nothing returning id
  )`

const KEPT_ROWS = `stored as (
    insert into messages select id, sender, recipient, sender_flags, recipient_flags, sent_by,
      sent_to, label, text from fresh
  ), indexed as (
    insert into archive (owner, id, peer, flags, label)
      select sender, id, to_peer, sender_flags, label from fresh where sender is not null
      union all
      select recipient, id, from_peer, recipient_flags, label from fresh where recipient is not null
  )
  select place, id from fresh`

const plain = (time: string): string =>
  `with ${numbers(time)}, fresh as (select *, before + place as id from given, base), ${KEPT_ROWS}`
const keyed = (time: string): string => `with ${numbers(time)}, ${CLAIMED}, fresh as (
    select *, before + place as id from given, base
      where key = '' or exists (select 1 from claimed where claimed.id = before + place)
  ), ${KEPT_ROWS}`

const STATEMENTS = { keyed: keyed(ALONE), plain: plain(ALONE) }
const STATEMENTS_OF_SEVERAL = { keyed: keyed(OURS), plain: plain(OURS) }

const GROUP = 'select last from message_clock where place = ?'
const THERE = 'select id from messages where id > ? and id <= ?'
/** Of logs that wrote nothing for days: they have ended, or write theirs again. */
const FORGET_GROUPS = 'delete from message_clock where place > 1 and last < ?'
const KEPT_GROUPS = 7 * DAY

export class MessageStore extends MessageRemover implements MessageLog {
  readonly #clock: Clock
  readonly #several: boolean
  /** Where this log notes in message_clock from which number on its last group is. */
  readonly #place = randomInt(2, 2 ** 47)

  static async open(database: Database, clock: Clock, several: boolean): Promise<MessageStore> {
    const log = new MessageStore(database, clock, several)
    await log.#partitions()
    return log
  }

  private constructor(database: Database, clock: Clock, several: boolean) {
    super(database)
    this.#clock = clock
    this.#several = several
  }

  protected pending(): readonly IndexRow[] {
    return []
  }

  // For the journal

  writes(messages: readonly LoggedMessage[]): Write[] {
    const now = this.#clock.now()
    const keyed = messages.some(({ key }) => key !== '')
    const columns = [
      messages.map(({ sender }) => sender?.owner ?? null),
      messages.map(({ recipient }) => recipient?.owner ?? null),
      messages.map(({ sender }) => sender?.flags ?? 0),
      messages.map(({ recipient }) => recipient?.flags ?? 0),
      messages.map(({ from }) => from.text),
      messages.map(({ to }) => to.text),
      messages.map(({ label }) => label),
      messages.map(({ text }) => fromWire(text)),
      messages.map(({ from }) => peerKey(from)),
      messages.map(({ to }) => peerKey(to)),
      messages.map(({ author }) => author),
      messages.map(({ key }) => key),
    ]
    const values = [numberAt(now), messages.length, ...columns, this.#place]
    const times = [Math.floor(now / DAY), numberAt(now - DAY)]
    const sql = this.#several ? STATEMENTS_OF_SEVERAL : STATEMENTS
    const write = keyed
      ? { sql: sql.keyed, runs: [[...values, ...times]] }
      : { sql: sql.plain, runs: [values] }
    // Nobody binds between the two (whereabouts.ts).
    return this.#several ? [write, concerns(messages, this.#place)] : [write]
  }

  written(messages: readonly LoggedMessage[], [rows, lives]: readonly Answer[]): void {
    for (const message of messages) {
      message.duplicate = true
      message.id = 0
    }
    for (const { place, id } of rows as { place: number; id: number }[]) {
      const message = messages[place - 1]!
      message.id = id
      message.duplicate = false
    }
    if (!this.#several || !lives) return
    setLives(messages, lives)
    setPrevious(messages, lives)
  }

  /** Which of the group's numbers are there: the others were duplicates. And what is before each of them. */
  async recover(messages: readonly LoggedMessage[]): Promise<void> {
    const { knex } = this.database
    const [group]: { last: number }[] = await knex.raw(GROUP, [this.#place])
    const before = group!.last
    const range = [before, before + messages.length]
    const rows: { id: number }[] = await knex.raw(THERE, range)
    const there = new Set(rows.map(({ id }) => id))
    for (const [at, message] of messages.entries()) {
      const id = before + at + 1
      message.duplicate = !there.has(id)
      message.id = there.has(id) ? id : 0
    }
    if (this.#several) await this.#placed(messages)
  }

  /** Who has come or gone since is not known: all lives are told. What is before it has not changed. */
  async #placed(messages: readonly LoggedMessage[]): Promise<void> {
    const [answer] = await this.database.write([concerns(messages, this.#place)])
    for (const message of messages) message.lives = undefined
    setPrevious(messages, answer!)
  }

  async indexed(): Promise<void> {}

  // Changes

  async replace(id: number, text: string): Promise<void> {
    await this.database.transaction(async (trx) => {
      const [message]: Sides[] = await trx('messages')
        .where({ id })
        .update({
          text,
          sender_flags: trx.raw('sender_flags | ?', [RETRACTED]),
          recipient_flags: trx.raw('recipient_flags | ?', [RETRACTED]),
        })
        .returning(['id', 'sender', 'recipient'])
      if (!message) return
      await this.changed(trx, [id])
      const flags = trx.raw('flags | ?', [RETRACTED])
      for (const owner of ownersOf(message))
        await trx('archive').where({ owner, id }).update({ flags })
    })
  }

  protected dropWithin(
    trx: Knex.Transaction,
    owner: number,
    ids: readonly number[],
  ): Promise<void> {
    return this.dropRows(trx, owner, ids)
  }

  async tidy(): Promise<boolean> {
    const now = this.#clock.now()
    await this.#partitions()
    await this.database.knex.raw(FORGET_GROUPS, [numberAt(now - KEPT_GROUPS)])
    return this.dropKeys(now)
  }

  /** Whole months at once; the rest of a month row by row. */
  async expire(time: number): Promise<boolean> {
    const limit = numberAt(time)
    for (const { name, until } of await this.#months())
      if (until <= limit)
        // The messages last: a month is known by them. Not together: readers lock both, in this order.
        for (const table of ['archive', 'messages'])
          await this.database.knex.schema.dropTableIfExists(`${table}_${name}`)
    return this.database.transaction(async (trx) => {
      const range = trx('messages').select('id', 'sender', 'recipient').where('id', '<', limit)
      const old: Sides[] = await range.orderBy('id').limit(CHUNK)
      if (old.length === 0) return false
      const rows = old.flatMap((message) =>
        ownersOf(message).map((owner) => ({ owner, id: message.id })),
      )
      const upTo = old.at(-1)!.id
      await trx.raw(
        `delete from archive using unnest(?::bigint[], ?::bigint[]) as gone (owner, id)
           where archive.owner = gone.owner and archive.id = gone.id and archive.id <= ?`,
        [rows.map(({ owner }) => owner), rows.map(({ id }) => id), upTo],
      )
      await trx('messages').where('id', '<=', upTo).delete()
      return old.length === CHUNK
    })
  }

  async close(): Promise<void> {}

  // Months

  /** This month's and the next one's tables; what has no month of its own is in the rest. */
  async #partitions(): Promise<void> {
    const now = new Date(this.#clock.now())
    for (const ahead of [0, 1]) {
      const from = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)
      const until = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1)
      for (const table of ['messages', 'archive'])
        await this.#partition(`${table}_${monthName(from)}`, table, [from, until])
    }
  }

  async #partition(name: string, table: string, [from, until]: [number, number]): Promise<void> {
    await this.database.transaction(async (trx) => {
      await trx.raw('select pg_advisory_xact_lock(?)', [PARTITION_LOCK])
      if (await trx.schema.hasTable(name)) return
      // Rows that came before their month had a table stay in the rest, and so does the month.
      const [there] = await trx(`${table}_rest`)
        .where('id', '>=', numberAt(from))
        .where('id', '<', numberAt(until))
        .limit(1)
      if (there) return
      // Statements of this kind take no values.
      const range = `from (${numberAt(from)}) to (${numberAt(until)})`
      await trx.raw(PARTITION + range, [name, table])
    })
  }

  async #months(): Promise<{ name: string; until: number }[]> {
    const names: { name: string }[] = await this.database.knex.raw(
      "select relname as name from pg_class where relname ~ '^messages_y[0-9]+m[0-9]+$' and relkind = 'r'",
    )
    return names.map(({ name }) => {
      const [, year, month] = /y(\d+)m(\d+)$/.exec(name)!
      return {
        name: `y${year}m${month}`,
        until: numberAt(Date.UTC(Number(year), Number(month), 1)),
      }
    })
  }
}

const PARTITION = 'create table ?? partition of ?? for values '
const PARTITION_LOCK = 0x7e4ce8

function monthName(time: number): string {
  const date = new Date(time)
  return `y${date.getUTCFullYear()}m${String(date.getUTCMonth() + 1).padStart(2, '0')}`
}
