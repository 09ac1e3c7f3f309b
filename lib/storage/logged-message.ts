// One message on its way into the log: what is kept of it, and for whom. Its number is given inside
// the commit, in the order in which messages become visible.

import type { Jid } from '../xmpp/jid.js'
import type { Wire } from '../xmpp/element.js'

/** What an account's index says of a message. */
export const KEPT = 1
export const INCOMING = 2
export const OUTGOING = 4
/** Counts as unread until it is displayed. */
export const UNREAD = 8
/** A tombstone stands in its place. */
export const RETRACTED = 16

/** Numbers carry the time. */
const PER_MILLISECOND = 2048

/** The first number of that moment */
export function numberAt(time: number): number {
  return Math.max(0, Math.ceil(time * PER_MILLISECOND))
}

/** In milliseconds with their fraction: messages of one millisecond have an order, too. */
export function momentOf(id: number): number {
  return id / PER_MILLISECOND
}

export function timeOf(id: number): number {
  return Math.floor(id / PER_MILLISECOND)
}

export interface Side {
  /** An account's number */
  readonly owner: number
  flags: number
  /** The message before it in the same index; 0 where there is none that matters, undefined: not known */
  previous?: number
}

export interface MessageParts {
  readonly from: Jid
  /** As it was addressed */
  readonly to: Jid
  /** The stanza without its addresses */
  readonly text: Wire
  /** The hash of the id by which others will refer to it; 0 for none */
  readonly label: number
  /** What the same message sent twice has in common, '' where nobody can tell */
  readonly key: string
  /** The account that sent it, where it is one of ours, whether it keeps it or not */
  readonly author: number
}

export class LoggedMessage {
  readonly from: Jid
  readonly to: Jid
  readonly text: Wire
  readonly label: number
  readonly key: string
  readonly author: number
  sender: Side | undefined
  recipient: Side | undefined
  /** Its number, once it is on disk */
  id = 0
  /** It was there already: this one is not kept and goes nowhere. */
  duplicate = false
  /** Of nodes that have sessions of the accounts that have it, this one included; undefined: any of them */
  lives: readonly string[] | undefined = []

  constructor({ from, to, text, label, key, author }: MessageParts) {
    this.from = from
    this.to = to
    this.text = text
    this.label = label
    this.key = key
    this.author = author
  }
}
