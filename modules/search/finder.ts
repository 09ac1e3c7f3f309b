// Finds messages by their words: in the index what it has reached, in the log what it has not. Whatever
// the index says is looked up in the log: only what is in this account's archive now is found.

import { RETRACTED } from '../../lib/storage/logged-message.js'
import {
  type Logged,
  type MessageLog,
  type PageQuery,
  peerKey,
} from '../../lib/storage/message-log.js'
import { wordsWithin } from './document.js'
import { matches, type Question } from './question.js'
import type { WordIndex } from './word-index.js'

/** LIM-search-tail: messages that are looked through because the index has not reached them. */
const TAIL = 2000
const SPAN = 200
/** What is asked of the index at least: of what it finds a few may be gone. */
const LEAST = 20

interface Range {
  readonly query: PageQuery
  readonly question: Question
  readonly after: number
  readonly before: number
}

export interface Found {
  readonly messages: Logged[]
  /** Fewer than were wanted, though not all was looked at */
  readonly unfinished: boolean
}

type Part = (range: Range, wanted: number) => Promise<Found>

export class Finder {
  readonly #index: WordIndex
  readonly #log: MessageLog

  constructor(index: WordIndex, log: MessageLog) {
    this.#index = index
    this.#log = log
  }

  /** In the order in which the query reads, at most as many as it wants. */
  async find(query: PageQuery, question: Question): Promise<Found> {
    if (question.length === 0) return whole([])
    if (query.ids) return this.#among(query, question)
    const { after = 0, before = Number.MAX_SAFE_INTEGER, limit, backwards } = query
    const reached = await this.#index.reached()
    const range = { query, question, after, before }
    const parts: [Part, Range][] = [
      [this.#indexed, { ...range, before: Math.min(before, reached + 1) }],
      [this.#tail, { ...range, after: Math.max(after, reached) }],
    ]
    const messages: Logged[] = []
    for (const [part, within] of backwards ? parts.reverse() : parts) {
      if (messages.length >= limit || within.before - within.after <= 1) continue
      const found = await part(within, limit - messages.length)
      messages.push(...found.messages)
      // What comes after a part that was not looked through would hide what is in it.
      if (found.unfinished) return { messages, unfinished: true }
    }
    return whole(messages)
  }

  async #among(query: PageQuery, question: Question): Promise<Found> {
    const { messages } = await this.#log.page({ ...query, limit: query.ids!.length })
    const found = messages.filter((message) => isFound(message, question))
    return whole(query.backwards ? found.reverse() : found)
  }

  readonly #indexed: Part = async ({ query, question, ...range }, wanted) => {
    const { owner, peer, backwards = false } = query
    const asked = {
      owner,
      peer: peer && peerKey(peer),
      question,
      limit: Math.max(wanted, LEAST),
      backwards,
    }
    const found: Logged[] = []
    for (let { after, before } = range; ; ) {
      const ids = await this.#index.find({ ...asked, after, before })
      found.push(...(await this.#there(query, ids)))
      if (found.length >= wanted || ids.length < asked.limit) return whole(found.slice(0, wanted))
      if (backwards) before = ids.at(-1)!
      else after = ids.at(-1)!
    }
  }

  async #there(query: PageQuery, ids: readonly number[]): Promise<Logged[]> {
    if (ids.length === 0) return []
    const { messages } = await this.#log.page({ ...query, ids, limit: ids.length })
    const found = messages.filter(({ flags }) => (flags & RETRACTED) === 0)
    return query.backwards ? found.reverse() : found
  }

  readonly #tail: Part = async ({ query, question, ...range }, wanted) => {
    const found: Logged[] = []
    for (let { after, before } = range, looked = 0; looked < TAIL; looked += SPAN) {
      const page = await this.#log.page({ ...query, after, before, limit: SPAN })
      const messages = query.backwards ? [...page.messages].reverse() : page.messages
      found.push(...messages.filter((message) => isFound(message, question)))
      if (page.complete || found.length >= wanted) return whole(found.slice(0, wanted))
      const last = messages.at(-1)!.id
      if (query.backwards) before = last
      else after = last
    }
    return { messages: found, unfinished: true }
  }
}

function whole(messages: Logged[]): Found {
  return { messages, unfinished: false }
}

function isFound({ text, flags }: Logged, question: Question): boolean {
  return (flags & RETRACTED) === 0 && matches(question, wordsWithin(text))
}
