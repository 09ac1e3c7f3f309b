// An account's conversations, newest first, with what of them is unread: all of them for the totals, but
// the text of those on a page alone. Only those in which something came after what was displayed are
// counted.

import { fitting } from '../../lib/core/long-answers.js'
import type { Conversation, Logged, MessageLog } from '../../lib/storage/message-log.js'
import { toWire } from '../../lib/xmpp/element.js'
import { countsAsUnread } from '../../lib/xmpp/message-traits.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { ReadState } from '../read-state/read-state.js'

/** LIM-inbox-conversations: the inbox of an account has no more, and counts no more */
const MOST = 1000
/** How many texts are read together */
const TOGETHER = 20
/** How many messages are looked at for one that says something */
const LOOK_BACK = 10

export interface Counted extends Conversation {
  readonly unread: number
}

export interface Shown {
  readonly conversation: Counted
  /** What is shown beside it; nothing where it is gone meanwhile */
  readonly message: Logged | undefined
}

export class Conversations {
  readonly #log: MessageLog
  readonly #readState: Pick<ReadState, 'allDisplayed'>

  constructor(log: MessageLog, readState: Pick<ReadState, 'allDisplayed'>) {
    this.#log = log
    this.#readState = readState
  }

  async of(account: number): Promise<Counted[]> {
    const displayed = await this.#readState.allDisplayed(account)
    const all = await this.#log.conversations(account, MOST)
    const after = (peer: Conversation['peer']): number => displayed.get(peer.text) ?? 0
    const behind = all.filter(({ peer, id }) => after(peer) < id)
    const places = behind.map(({ peer }) => ({ peer, after: after(peer) }))
    const counts = await this.#log.unread(account, places)
    const unread = new Map(behind.map(({ id }, at) => [id, counts[at]!]))
    return all.map((one) => ({ ...one, unread: unread.get(one.id) ?? 0 }))
  }

  /** As many of a page as make one answer: its first ones, or its last ones. */
  async shown(owner: number, page: readonly Counted[], backwards: boolean): Promise<Shown[]> {
    const order = backwards ? [...page].reverse() : page
    const found: Shown[] = []
    for (let at = 0; at < order.length && at === found.length; at += TOGETHER) {
      found.push(...(await this.#latest(owner, order.slice(at, at + TOGETHER))))
      found.length = fitting(found.map(({ message }) => message?.text.length ?? 0))
    }
    return backwards ? found.reverse() : found
  }

  async #latest(owner: number, some: readonly Counted[]): Promise<Shown[]> {
    const ids = some.map(({ id }) => id)
    const { messages } = await this.#log.page({ owner, ids, limit: ids.length })
    const newest = new Map(messages.map((message) => [message.id, message]))
    return Promise.all(
      some.map(async (conversation) => {
        const message = newest.get(conversation.id)
        return {
          conversation,
          message: message && (await this.#instant(owner, conversation, message)),
        }
      }),
    )
  }

  /** XEP-0430 §4: the latest instant message; beside markers and receipts, if it is not far from there. */
  async #instant(owner: number, { peer }: Counted, newest: Logged): Promise<Logged> {
    if (saysSomething(newest)) return newest
    const query = { owner, peer, before: newest.id, limit: LOOK_BACK, backwards: true }
    const { messages } = await this.#log.page(query)
    return [...messages].reverse().find(saysSomething) ?? newest
  }
}

function saysSomething({ text }: Logged): boolean {
  return countsAsUnread(Stanza.parse(toWire(text)))
}
