// The index of words in SQLite: FTS5 without contents, documents in the order of their numbers, so that
// a page is read off and nothing is sorted. Our own words need no tokenizer: `ascii` only splits them at
// the spaces. Merging is done in small portions with each batch, never all of a sudden.

import type { Database } from '../../lib/storage/database.js'
import { RETRACTED } from '../../lib/storage/logged-message.js'
import type { Question } from './question.js'
import { StoredWords } from './stored-words.js'
import type { Document, Reading, WordQuery } from './word-index.js'
import { sideToken } from './word-index.js'

/** Documents that a sweep takes away at a time */
const SWEPT = 200

/** Retracted while it was read: it stays out. */
const INSERT = `insert or replace into message_words (rowid, words)
  select ?1, ?2 from messages where id = ?1 and (sender_flags | recipient_flags) & ${RETRACTED} = 0`
/** In pages of 4 KB, about as many as a batch writes */
const MERGE = "insert into message_words (message_words, rank) values ('merge', 16)"

export const sqliteTables: readonly string[] = [
  `create virtual table message_words using fts5(words, content='', contentless_delete=1,
     tokenize='ascii')`,
  "insert into message_words (message_words, rank) values ('automerge', 0)",
  "insert into message_words (message_words, rank) values ('crisismerge', 1000)",
]

export class SqliteWords extends StoredWords {
  constructor(database: Database) {
    super(database, { key: 'rowid', listed: 'message_words_docsize', swept: SWEPT })
  }

  async find(query: WordQuery): Promise<readonly number[]> {
    const found = this.database.reader('message_words').select('rowid as id')
    found.whereRaw('message_words match ?', [expression(query)])
    found.where('rowid', '>', query.after).where('rowid', '<', query.before)
    found.orderBy('rowid', query.backwards ? 'desc' : 'asc').limit(query.limit)
    const rows: { id: number }[] = await found
    return rows.map(({ id }) => id)
  }

  async advance(read: Reading): Promise<boolean> {
    const { upTo, documents } = await read(await this.reached())
    const runs = documents.map(({ id, tokens }: Document) => [id, tokens.join(' ')])
    await this.database.write([
      { sql: INSERT, runs },
      { sql: MERGE, runs: [[]] },
      { put: 'search_progress', rows: [{ place: 1, reached: upTo }] },
    ])
    return true
  }
}

/** Strings of FTS5: within quotes nothing has a meaning, and no word of ours has a quote. */
function expression(query: WordQuery): string {
  return [`"${sideToken(query)}"`, ...terms(query.question)].join(' AND ')
}

function terms(question: Question): string[] {
  return question.map(({ words, beginning }) => `"${words.join(' ')}"${beginning ? ' *' : ''}`)
}
