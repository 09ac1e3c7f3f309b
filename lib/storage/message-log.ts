// The message log: every message that somebody keeps or is owed, once, in the order in which they
// became visible, and an index of it for each account. Numbers are given inside the commit: strictly
// increasing, also when the clock steps back, and they carry the time (logged-message.ts). The journal
// writes; whoever reads does so page by page, by number, never by offset. What an archive shows and
// what it is called there is the archive's affair.

import type { Knex } from 'knex'
import type { Clock } from '../ops/clock.js'
import { Jid } from '../xmpp/jid.js'
import type { Database } from './database.js'
import { INCOMING, type LoggedMessage } from './logged-message.js'
import { migrate } from './migrations.js'
import { messageTables } from './message-tables.js'
import type { Answer, Write } from './writes.js'

/** A message as one account has it. */
export interface Logged {
  readonly id: number
  /** Full addresses as trusted when it was sent */
  readonly from: string
  readonly to: string
  /** The stanza without its addresses, as real Unicode text */
  readonly text: string
  readonly flags: number
}

export interface PageQuery {
  readonly owner: number
  /** Bare: the whole conversation; full: what went to or came from that resource */
  readonly peer?: Jid
  /** Numbers, both exclusive */
  readonly after?: number
  readonly before?: number
  /** Only those of these numbers */
  readonly ids?: readonly number[]
  /** Bits that must all be set; those that an archive shows unless told otherwise */
  readonly flags?: number
  /** Bits of which none may be set */
  readonly absent?: number
  readonly limit: number
  /** The page ends, incomplete, with the message that makes it longer than so many characters. */
  readonly mostText?: number
  /** The newest of the range instead of the oldest */
  readonly backwards?: boolean
}

export interface Page {
  /** Oldest first, whichever way was read */
  readonly messages: readonly Logged[]
  /** Nothing in the range lies beyond. */
  readonly complete: boolean
}

/** A place in a conversation, which the bare address of the other side names */
export interface Place {
  readonly peer: Jid
  readonly after: number
}

/** A place in a log that is one conversation of many: a room's */
export interface LogPlace extends Place {
  readonly owner: number
  /** The label of what whoever asks said there, which is not unread */
  readonly mine: number
}

export interface LogState {
  /** Of the newest message; 0 where there is none */
  readonly id: number
  readonly unread: number
}

export interface Conversation {
  /** Bare: the other side */
  readonly peer: Jid
  /** Of the newest message */
  readonly id: number
}

/** By whom, to whom (bare), and the id by which others refer to it */
export interface LabelQuery {
  readonly owner: number
  readonly peer: Jid
  readonly label: number
}

/** A message as the log has it, for whoever reads all of it. */
export interface Recorded {
  readonly id: number
  readonly from: string
  readonly to: string
  readonly text: string
  /** Accounts that have it, with their flags */
  readonly sides: readonly RecordedSide[]
}

export interface RecordedSide {
  readonly owner: number
  readonly flags: number
  readonly peer: Jid
  /** The message before it in the same index, where whoever wrote it says so */
  readonly previous?: number
}

/** Hears of messages that were replaced or are gone, within the transaction that does it. */
export type LogWatcher = (trx: Knex.Transaction, ids: readonly number[]) => Promise<void>

/** An entry of an account's index. */
export interface IndexRow {
  readonly owner: number
  readonly id: number
  readonly peer: number
  flags: number
  readonly label: number
}

/** The hash under which the other side of a conversation is indexed. */
export function peerKey(jid: Jid): number {
  return jid.bare.hash
}

export interface MessageLog {
  // For the journal

  writes(messages: readonly LoggedMessage[]): Write[]
  /** Answers begin with those to `writes`. Gives each message its number, or says that it is a duplicate. */
  written(messages: readonly LoggedMessage[], answers: readonly Answer[]): void
  /** The commit took place, its answers were lost. */
  recover(messages: readonly LoggedMessage[]): Promise<void>

  // For readers

  page(query: PageQuery): Promise<Page>
  /** False where a page after this number would be empty: who asks at the same time asks together. */
  mayHaveNewer(owner: number, after: number): Promise<boolean>
  /** How many messages came after each place and count as unread, up to a bound. */
  unread(owner: number, places: readonly Place[]): Promise<readonly number[]>
  /** The same of other logs, with the newest message of each; in the order in which they are named */
  states(places: readonly LogPlace[]): Promise<readonly LogState[]>
  /** By their newest message, newest first. */
  conversations(owner: number, limit: number): Promise<readonly Conversation[]>
  /** The messages of a conversation with this label, newest first. */
  labelled(query: LabelQuery): Promise<readonly Logged[]>

  /** The next messages of all accounts, by number. */
  scan(after: number, limit: number): Promise<readonly Recorded[]>
  /**
   * What was derived from a message must go with it. Who expires is not told: they are the oldest.
   * Gives back what ends the watch.
   */
  watch(watcher: LogWatcher): () => void

  // Changes; each is on disk when it resolves

  /** Puts this text in the place of a message, for everybody who has it. */
  replace(id: number, text: string): Promise<void>
  /** Takes the messages out of one account's index; what nobody has any more is gone. */
  drop(owner: number, ids: readonly number[]): Promise<void>
  /** What no archive keeps and this account has taken up to this number. */
  dropTaken(owner: number, taken: number): Promise<number>
  /** Accounts that have taken messages which no archive keeps, and up to which number they have. */
  ended(limit: number): Promise<readonly { owner: number; taken: number }[]>
  /** Some of what is older than this moment; whether there is more. */
  expire(time: number): Promise<boolean>
  /**
   * Some of what the log itself needs no more; whether there is more. To be asked every few hours, also
   * where nothing expires: old keys of sent messages go, coming months get their tables.
   */
  tidy(): Promise<boolean>
  /** Some of an account's, each time on disk; whether there is more. To be asked before `forget`. */
  clear(owner: number): Promise<boolean>
  /** All of an account's, where it is not much any more; takes effect when `trx` commits. */
  forget(owner: number, trx: Knex.Transaction): Promise<void>
  /** Resolves when the index on disk has all there was when this was asked. */
  indexed(): Promise<void>
  close(): Promise<void>
}

/**
 * With its tables; the database is closed where that fails. With several nodes a commit tells which of
 * them have sessions of those who have a message.
 */
export async function openMessageLog(
  database: Database,
  clock: Clock,
  several = false,
): Promise<MessageLog> {
  try {
    await migrate(database, [{ owner: 'messages', migrations: messageTables }])
    const { MessageStore } =
      database.kind === 'sqlite'
        ? await import('./sqlite-messages.js')
        : await import('./postgres-messages.js')
    return await MessageStore.open(database, clock, several)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Whether a message is part of what was asked: different addresses may share a hash. */
export function isBetween(message: Logged, peer: Jid): boolean {
  const other = otherSide(message)
  return peer.isBare ? other.bare.equals(peer) : other.equals(peer)
}

export function otherSide({ from, to, flags }: Logged): Jid {
  return Jid.parse(flags & INCOMING ? from : to)
}
