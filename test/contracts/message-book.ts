// A message log with its journal and a clock that tests move, and messages to write into it.

import type { Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { Journal, type JournalOptions } from '../../lib/storage/journal.js'
import {
  INCOMING,
  KEPT,
  LoggedMessage,
  OUTGOING,
  UNREAD,
} from '../../lib/storage/logged-message.js'
import { type MessageLog, openMessageLog, type PageQuery } from '../../lib/storage/message-log.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { ManualClock } from '../world/clock.js'
import type { FreshStore, StoreKind } from './stores.js'

/** Numbers of accounts */
export const romeo = 1
export const juliet = 2
export const nurse = 3

const numbers: Record<string, number> = { romeo, juliet, nurse }

export const addressOf = {
  romeo: Jid.parse('romeo@montague.lit'),
  juliet: Jid.parse('juliet@capulet.lit'),
  nurse: Jid.parse('nurse@capulet.lit'),
}

export interface Words {
  readonly from?: string
  readonly to?: string
  readonly text: string
  readonly label?: number
  readonly key?: string
  /** Flags of either side beside the direction; undefined for a side without an index entry */
  readonly sent?: number | undefined
  readonly received?: number | undefined
}

export interface Book {
  readonly store: FreshStore
  readonly database: Database
  readonly log: MessageLog
  readonly journal: Journal
  readonly clock: ManualClock
  say(words: Words): Promise<LoggedMessage>
  /** All of them committed in one turn: one group */
  sayAll(words: readonly Words[]): Promise<LoggedMessage[]>
  /** Texts of a page of everything, or of what is asked for */
  texts(owner: number, query?: Partial<PageQuery>): Promise<string[]>
}

export interface BookOptions {
  readonly store?: FreshStore
  readonly clock?: ManualClock
  readonly journal?: JournalOptions
  /** What the journal writes through, instead of the database itself */
  through?(database: Database): Pick<Database, 'transaction' | 'write'>
}

export type OpenBook = (t: Test, options?: BookOptions) => Promise<Book>

export function bookOf({ fresh }: StoreKind): OpenBook {
  return async (t, options = {}) => {
    const store = options.store ?? (await fresh())
    const database = await store.open()
    t.teardown(() => database.close())
    const clock = options.clock ?? new ManualClock()
    const log = await openMessageLog(database, clock)
    const through = options.through?.(database) ?? database
    const journal = new Journal(through, { ...options.journal, messages: log })
    return { store, database, log, journal, clock, ...speaking(journal, log) }
  }
}

function speaking(journal: Journal, log: MessageLog): Pick<Book, 'say' | 'sayAll' | 'texts'> {
  const say = async (words: Words): Promise<LoggedMessage> => {
    const entry = journal.entry()
    const message = messageOf(words)
    entry.message = message
    await journal.commit(entry)
    return message
  }
  return {
    say,
    sayAll: (words) => Promise.all(words.map(say)),
    async texts(owner, query) {
      const page = await log.page({ owner, limit: 1000, ...query })
      return page.messages.map(({ text }) => text)
    },
  }
}

export function messageOf(words: Words): LoggedMessage {
  const { text, label = 0, key = '', sent = KEPT, received = KEPT | UNREAD } = words
  const from = Jid.parse(words.from ?? 'romeo@montague.lit/orchard')
  const to = Jid.parse(words.to ?? 'juliet@capulet.lit')
  const author = numbers[from.local] ?? 0
  const message = new LoggedMessage({ from, to, text, label, key, author })
  const owner = numbers[to.local]
  if (author > 0 && hasSide(words, 'sent'))
    message.sender = { owner: author, flags: sent | OUTGOING }
  if (owner && hasSide(words, 'received')) message.recipient = { owner, flags: received | INCOMING }
  if (message.sender && message.sender.owner === message.recipient?.owner) {
    message.recipient.flags |= message.sender.flags
    message.sender = undefined
  }
  return message
}

function hasSide(words: Words, side: 'sent' | 'received'): boolean {
  return !(side in words) || words[side] !== undefined
}

/** What a sender hears when the database takes nothing */
export const refused = new StanzaError('resource-constraint', 'it could not be stored')

/** From juliet back to romeo */
export const answer = { from: 'juliet@capulet.lit/balcony', to: 'romeo@montague.lit' }
/** From romeo to the nurse */
export const aside = { to: 'nurse@capulet.lit' }
