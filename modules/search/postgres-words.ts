// The index of words in PostgreSQL: a tsvector for each message, with a GIN index. That index knows no
// order, and a word that is in every message would make it fetch them all: so the newest (or oldest)
// messages of the archive are looked through first, which finds common words at once, and only words
// that are rare among them are asked of the index. Several nodes share it; one at a time adds to it.

import type { Knex } from 'knex'
import type { Database } from '../../lib/storage/database.js'
import { RETRACTED } from '../../lib/storage/logged-message.js'
import type { Question, Term } from './question.js'
import { StoredWords } from './stored-words.js'
import type { Document, Reading, WordQuery } from './word-index.js'
import { sideToken } from './word-index.js'

/** Messages that are looked through before the index is asked */
const LOOKED_THROUGH = 5000
const SWEPT = 500
/** PostgreSQL counts no further, and no more places of one word. */
const LAST_PLACE = 16_383
const MOST_PLACES = 255

const WORDS_OF = '(select words from message_words where message_words.id = first.id) as words'

const INSERT = `insert into message_words (id, words)
  select made.id, made.words::tsvector from unnest(?::bigint[], ?::text[]) as made (id, words)
    join messages on messages.id = made.id
    where (sender_flags | recipient_flags) & ${RETRACTED} = 0
  on conflict (id) do nothing`

export const postgresTables: readonly string[] = [
  'create table message_words (id bigint primary key, words tsvector not null)',
  // What waits to be sorted into the index is read by every search: little of it.
  `create index message_words_found on message_words using gin (words)
     with (gin_pending_list_limit = 256)`,
]

export class PostgresWords extends StoredWords {
  constructor(database: Database) {
    super(database, { key: 'id', listed: 'message_words', swept: SWEPT })
  }

  find(query: WordQuery): Promise<readonly number[]> {
    return this.database.transaction(async (trx) => {
      // It expects few rows of what it does not know, and would read all of a table for them.
      await trx.raw(
        "select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'on', true)",
      )
      const common = await this.#lookThrough(trx, query)
      return common ?? (await this.#ask(trx, query))
    })
  }

  /** Enough of them among the first; undefined where only the index can tell. */
  async #lookThrough(trx: Knex.Transaction, query: WordQuery): Promise<number[] | undefined> {
    const { owner, peer, after, before, limit, backwards } = query
    const order = backwards ? 'desc' : 'asc'
    const first = trx('archive').select('id').where({ owner }).limit(LOOKED_THROUGH)
    first.where('id', '>', after).where('id', '<', before).orderBy('id', order).as('first')
    if (peer !== undefined) first.where({ peer })
    const looked = trx(first).select('id', trx.raw(WORDS_OF)).as('looked')
    const found = trx(looked).whereRaw('words @@ ?::tsquery', [expression(query.question)])
    const ids: number[] = await found.orderBy('id', order).limit(limit).pluck('id')
    return ids.length < limit ? undefined : ids
  }

  async #ask(trx: Knex.Transaction, query: WordQuery): Promise<number[]> {
    const { question, after, before, limit, backwards } = query
    const words = `'${sideToken(query)}' & ${expression(question)}`
    const found = trx('message_words').select('id').whereRaw('words @@ ?::tsquery', [words])
    // The range is left to the rest: with it the keys of the whole range would be gathered first.
    const within = trx.withMaterialized('found', found).from('found')
    within.where('id', '>', after).where('id', '<', before)
    return within
      .orderBy('id', backwards ? 'desc' : 'asc')
      .limit(limit)
      .pluck('id')
  }

  advance(read: Reading): Promise<boolean> {
    return this.database.transaction(async (trx) => {
      const progress = await trx('search_progress').forUpdate().skipLocked().first()
      if (!progress) return false
      const { upTo, documents } = await read(progress.reached)
      if (documents.length > 0)
        await trx.raw(INSERT, [documents.map(({ id }) => id), documents.map(vector)])
      await trx('search_progress').update({ reached: upTo })
      return true
    })
  }
}

/** Within quotes nothing has a meaning, and no word of ours has a quote or a backslash. */
function expression(question: Question): string {
  return question.map(phrase).join(' & ')
}

function phrase({ words, beginning }: Term): string {
  const parts = words.map((word) => `'${word}'`)
  return `(${parts.join(' <-> ')}${beginning ? ':*' : ''})`
}

/** Written as PostgreSQL reads it: each word once, with its places. */
function vector({ tokens }: Document): string {
  const places = new Map<string, number[]>()
  for (const [at, token] of tokens.entries()) {
    const known = places.get(token)
    if (!known) places.set(token, [at + 1])
    else if (known.length < MOST_PLACES && at < LAST_PLACE) known.push(at + 1)
  }
  return [...places].map(([token, all]) => `'${token}':${all}`).join(' ')
}
