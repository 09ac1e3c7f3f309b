// An account's conversations, newest first, with what of them is unread. Only those in which something
// came after what was displayed are counted.

import type { Logged, MessageLog } from '../../lib/storage/message-log.js'
import { otherSide } from '../../lib/storage/message-log.js'
import { toWire } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { countsAsUnread } from '../../lib/xmpp/message-traits.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { ReadState } from '../read-state/read-state.js'

/** LIM-inbox-conversations: the inbox of an account has no more, and counts no more */
const MOST = 1000
/** How many counts are under way together */
const TOGETHER = 20
/** How many messages are looked at for one that says something */
const LOOK_BACK = 10

export interface Conversation {
  readonly peer: Jid
  /** Of the newest message */
  readonly id: number
  readonly newest: Logged
  readonly unread: number
}

export class Conversations {
  readonly #log: MessageLog
  readonly #readState: Pick<ReadState, 'allDisplayed'>

  constructor(log: MessageLog, readState: Pick<ReadState, 'allDisplayed'>) {
    this.#log = log
    this.#readState = readState
  }

  async of(account: number): Promise<Conversation[]> {
    const displayed = await this.#readState.allDisplayed(account)
    const newest = await this.#log.conversations(account, MOST)
    const found: Conversation[] = []
    for (let at = 0; at < newest.length; at += TOGETHER) {
      const some = newest.slice(at, at + TOGETHER)
      found.push(...(await Promise.all(some.map((one) => this.#counted(account, one, displayed)))))
    }
    return found
  }

  /** XEP-0430 §4: the latest instant message; beside markers and receipts, if it is not far from there. */
  async latest(owner: number, { peer, newest }: Conversation): Promise<Logged> {
    if (saysSomething(newest)) return newest
    const query = { owner, peer, before: newest.id, limit: LOOK_BACK, backwards: true }
    const { messages } = await this.#log.page(query)
    return [...messages].reverse().find(saysSomething) ?? newest
  }

  async #counted(
    owner: number,
    newest: Logged,
    displayed: ReadonlyMap<string, number>,
  ): Promise<Conversation> {
    const peer = otherSide(newest).bare
    const after = displayed.get(peer.text) ?? 0
    const unread = after >= newest.id ? 0 : await this.#log.unread({ owner, peer, after })
    return { peer, id: newest.id, newest, unread }
  }
}

function saysSomething({ text }: Logged): boolean {
  return countsAsUnread(Stanza.parse(toWire(text)))
}
