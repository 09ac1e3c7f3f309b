// The texts by which the index of the message log is read. How many rows are asked for stands in the
// text, rounded up to one of a few sizes: PostgreSQL weighs a plan for all values against one made for
// these very ones, and of a limit that it does not know it expects far too much.

import type { Database } from './database.js'
import { type PageQuery, peerKey } from './message-log.js'

const SIZES = [2, 12, 52, 104, 256, 1000]

export interface RangeQuestion {
  readonly text: string
  readonly values: (number | string | readonly number[])[]
}

/** At least so many rows are read at a time, where there are so many. */
export function sizeFor(rows: number): number {
  return SIZES.find((size) => size >= rows) ?? SIZES.at(-1)!
}

/**
 * Rows of an account's index from where reading begins, and no other condition but equality: of those that
 * it cannot weigh PostgreSQL expects that they leave next to nothing, and would read all of an archive to
 * sort it. With the message of each where `whole`.
 */
export function rangeQuestion(
  kind: Database['kind'],
  query: PageQuery,
  { size, whole }: { size: number; whole: boolean },
): RangeQuestion {
  const { backwards } = query
  const { conditions, values } = conditionsOf(kind, query)
  const order = `order by id ${backwards ? 'desc' : 'asc'}`
  const rows = `select id, flags, peer from archive where ${conditions} ${order} limit ${size}`
  return { text: whole ? withMessages(kind, rows, order) : rows, values }
}

function conditionsOf(kind: Database['kind'], query: PageQuery) {
  const { owner, peer, after, before, ids, absent = 0, backwards } = query
  const conditions = ['owner = ?']
  const values: RangeQuestion['values'] = [owner]
  const from = backwards ? before : after
  if (from) {
    conditions.push(`id ${backwards ? '<' : '>'} ?`)
    values.push(from)
  }
  if (peer) {
    conditions.push('peer = ?')
    values.push(peerKey(peer))
  }
  if (ids) {
    conditions.push(AMONG[kind])
    values.push(listed(kind, ids))
  }
  // As the partial index has it
  if (absent > 0) conditions.push(`flags & ${absent} = 0`)
  return { conditions: conditions.join(' and '), values }
}

const AMONG = {
  sqlite: 'id in (select value from json_each(?))',
  postgres: 'id = any(?::bigint[])',
}

function listed(kind: Database['kind'], ids: readonly number[]): string | readonly number[] {
  return kind === 'sqlite' ? `[${ids}]` : ids
}

/** Each message is looked up by its number, never the other way round. */
const EACH = {
  sqlite: 'left join messages as m on m.id = a.id',
  postgres: `left join lateral
    (select sent_by, sent_to, text from messages where messages.id = a.id limit 1) as m on true`,
}

function withMessages(kind: Database['kind'], rows: string, order: string): string {
  return `select a.id, a.flags, a.peer, m.sent_by, m.sent_to, m.text
    from (${rows}) as a ${EACH[kind]} ${order.replace('id', 'a.id')}`
}

const TEXTS = 'select id, sent_by, sent_to, text from messages where'

export function textsQuestion(kind: Database['kind'], ids: readonly number[]): RangeQuestion {
  return { text: `${TEXTS} ${AMONG[kind]}`, values: [listed(kind, ids)] }
}

/** Of the newest rows of a conversation those that have a label, newest first. */
export function labelQuestion(newest: number, most: number): string {
  return `select id, flags from (select id, flags, label from archive where owner = ? and peer = ?
    order by id desc limit ${newest}) as recent where label = ? order by id desc limit ${most}`
}
