// The index of words: one document for each message that somebody's archive keeps, with whom it
// belongs to as further words that no text can contain. It holds everything up to a number, which moves
// in the same transaction. What it finds may be older than the log: whoever asks looks there.

import type { Knex } from 'knex'
import type { Question } from './question.js'

export interface Document {
  readonly id: number
  /** Owners and conversations, then the words */
  readonly tokens: readonly string[]
}

export interface WordQuery {
  readonly owner: number
  /** The hash of the other side, for one conversation */
  readonly peer: number | undefined
  readonly question: Question
  /** Both exclusive */
  readonly after: number
  readonly before: number
  readonly limit: number
  readonly backwards: boolean
}

/** Reads the messages after a number and makes their documents; `upTo` is the last of them. */
export type Reading = (after: number) => Promise<{ upTo: number; documents: Document[] }>

export interface WordIndex {
  reached(): Promise<number>
  /** Numbers in the order of the query; fewer than its limit only where there are no more. */
  find(query: WordQuery): Promise<readonly number[]>
  /** Adds what comes next; false where somebody else does that just now. */
  advance(read: Reading): Promise<boolean>
  remove(trx: Knex.Transaction, ids: readonly number[]): Promise<void>
  /** Some of those before this number; whether there may be more. */
  sweep(before: number): Promise<boolean>
}

/** No word of a text begins with this sign. */
const SIGN = '§'

export function ownerToken(owner: number): string {
  return `${SIGN}${owner}`
}

export function conversationToken(owner: number, peer: number): string {
  return `${SIGN}${owner}x${peer.toString(36)}`
}

export function sideToken({ owner, peer }: WordQuery): string {
  return peer === undefined ? ownerToken(owner) : conversationToken(owner, peer)
}
