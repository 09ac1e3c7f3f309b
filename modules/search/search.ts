// Search: a field of the archive's query that finds messages by their words (XEP-0431). The index is
// filled behind the log (indexer.ts); what it has not reached yet is found all the same (finder.ts).

import { defineModule } from '../../lib/core/module.js'
import type { PageQuery } from '../../lib/storage/message-log.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import archive, { type NarrowedQuery } from '../archive/archive.js'
import { Finder } from './finder.js'
import { fillingOf } from './indexer.js'
import { PostgresWords } from './postgres-words.js'
import { readQuestion } from './question.js'
import { type Ranked, ranked } from './ranking.js'
import { SqliteWords } from './sqlite-words.js'
import { migrations } from './tables.js'
import type { WordIndex } from './word-index.js'

export type { Ranked }

export interface SearchOptions {
  /** How many at most */
  readonly limit: number
  /** Only what was said with them */
  readonly peer?: Jid
}

/** What modules that require this one get. */
export interface SearchApi {
  /** The messages of an account's archive that have all these words, the best first. */
  search(owner: number, text: string, options: SearchOptions): Promise<readonly Ranked[]>
}

const NS_FULLTEXT = 'urn:xmpp:fulltext:0'
const FILL = 1000
/** Of so many that match, the newest, the best are chosen. */
const CONSIDERED = 500

export default defineModule<SearchApi>({
  name: 'search',
  summary: 'Finds messages by their words',
  xeps: { 'XEP-0431': '0.2.0' },
  requires: [archive],
  migrations,

  setup(host) {
    const { database, messages } = host
    const index: WordIndex =
      database.kind === 'sqlite' ? new SqliteWords(database) : new PostgresWords(database)
    const finder = new Finder(index, messages)
    const filling = fillingOf(host, index)
    const withdraw = host.use(archive).field({
      name: `{${NS_FULLTEXT}}fulltext`,
      type: 'text-single',
      feature: NS_FULLTEXT,
      narrow,
    })
    return {
      provides: { search },
      disco: { account: [NS_FULLTEXT] },
      tasks: [{ name: 'index words', every: FILL, once: true, run: fill }],
      async close() {
        withdraw()
        await filling.leave()
      },
    }

    /** XEP-0431 §2.2 */
    async function narrow(query: PageQuery, values: readonly string[]): Promise<NarrowedQuery> {
      const question = readQuestion(values.join(' '))
      const { messages: found, unfinished } = await finder.find(query, question)
      // XEP-0059 §2.2: an empty page has no end from which a client could go on.
      if (unfinished && found.length === 0)
        throw new StanzaError('resource-constraint', 'the index has not come so far yet')
      return { ...query, ids: found.map(({ id }) => id), unfinished }
    }

    async function search(
      owner: number,
      text: string,
      { limit, peer }: SearchOptions,
    ): Promise<readonly Ranked[]> {
      const question = readQuestion(text)
      const query = { owner, limit: CONSIDERED, backwards: true, ...(peer ? { peer } : undefined) }
      const found = await finder.find(query, question)
      return ranked(found.messages, question).slice(0, limit)
    }

    function fill(): Promise<void> {
      const filled = filling.indexer.run()
      host.server.pending(filled)
      return filled
    }
  },
})
