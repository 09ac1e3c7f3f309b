// An account's conversations, newest first, with what of them is unread: all of them for the totals, but
// the text of those on a page alone. Only those in which something came after what was displayed are
// counted.

import { fitting } from '../../lib/core/long-answers.js'
import type { Conversation, Logged, MessageLog } from '../../lib/storage/message-log.js'
import { toWire } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { countsAsUnread } from '../../lib/xmpp/message-traits.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { OtherArchive, OtherArchives } from '../archive/other-archives.js'
import type { ReadState } from '../read-state/read-state.js'

/** LIM-inbox-conversations: the inbox of an account has no more, and counts no more */
const MOST = 1000
/** How many texts are read together */
const TOGETHER = 20
/** How many messages are looked at for one that says something */
const LOOK_BACK = 10

export interface Counted extends Conversation {
  readonly unread: number
  /** Of what is unread, how many name the account */
  readonly mentions?: number
  /** Where it is kept, if that is not the account's own archive */
  readonly archive?: OtherArchive
}

/** Whose inbox it is */
export interface Whose {
  readonly number: number
  readonly account: Jid
}

export interface Shown {
  readonly conversation: Counted
  /** What is shown beside it; nothing where it is gone meanwhile */
  readonly message: Logged | undefined
}

export class Conversations {
  readonly #log: MessageLog
  readonly #readState: Pick<ReadState, 'allDisplayed'>
  readonly #others: OtherArchives

  constructor(log: MessageLog, readState: Pick<ReadState, 'allDisplayed'>, others: OtherArchives) {
    this.#log = log
    this.#readState = readState
    this.#others = others
  }

  async of({ number, account }: Whose): Promise<Counted[]> {
    const displayed = await this.#readState.allDisplayed(number)
    const after: After = (peer) => displayed.get(peer.text) ?? 0
    const own = await this.#own(number, after)
    const rooms = await this.#rooms(account, after)
    return rooms.length === 0 ? own : together(own, rooms).slice(0, MOST)
  }

  async #own(number: number, after: After): Promise<Counted[]> {
    const all = await this.#log.conversations(number, MOST)
    const behind = all.filter(({ peer, id }) => after(peer) < id)
    const places = behind.map(({ peer }) => ({ peer, after: after(peer) }))
    const counts = await this.#log.unread(number, places)
    const unread = new Map(behind.map(({ id }, at) => [id, counts[at]!]))
    return all.map((one) => ({ ...one, unread: unread.get(one.id) ?? 0 }))
  }

  async #rooms(account: Jid, after: After): Promise<Counted[]> {
    const archives = await this.#others.of(account)
    if (archives.length === 0) return []
    const states = await this.#log.states(
      archives.map(({ owner, peer, mine }) => ({ owner, peer, mine, after: after(peer) })),
    )
    const named = await this.#others.mentions(account)
    return archives.flatMap((archive, at) => {
      const { peer } = archive
      const { id, unread } = states[at]!
      if (id === 0) return []
      const ids = (named.get(peer.text) ?? []).filter((one) => one > after(peer))
      // What names somebody may have been taken back.
      return { peer, id, unread, mentions: Math.min(ids.length, unread), archive }
    })
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
    const ids = some.filter(({ archive }) => !archive).map(({ id }) => id)
    const { messages } = await this.#log.page({ owner, ids, limit: ids.length })
    const newest = new Map(messages.map((message) => [message.id, message]))
    return Promise.all(
      some.map(async (conversation) => {
        const { id, archive } = conversation
        const message = archive ? await this.#newest(archive.owner, id) : newest.get(id)
        const instant =
          message && (await this.#instant(archive?.owner ?? owner, conversation, message))
        return { conversation, message: instant && (archive?.shown(instant) ?? instant) }
      }),
    )
  }

  async #newest(owner: number, id: number): Promise<Logged | undefined> {
    return (await this.#log.page({ owner, ids: [id], limit: 1 })).messages[0]
  }

  /** XEP-0430 §4: the latest instant message; beside markers and receipts, if it is not far from there. */
  async #instant(owner: number, { peer }: Counted, newest: Logged): Promise<Logged> {
    if (saysSomething(newest)) return newest
    const query = { owner, peer, before: newest.id, limit: LOOK_BACK, backwards: true }
    const { messages } = await this.#log.page(query)
    return [...messages].reverse().find(saysSomething) ?? newest
  }
}

type After = (peer: Jid) => number

/** Newest first. What the room itself or somebody there said to the account alone is in the account's archive. */
function together(own: readonly Counted[], rooms: readonly Counted[]): Counted[] {
  const byPeer = new Map(own.map((one) => [one.peer.text, one]))
  for (const room of rooms) {
    const alone = byPeer.get(room.peer.text)
    byPeer.set(room.peer.text, alone ? { ...room, unread: room.unread + alone.unread } : room)
  }
  return [...byPeer.values()].sort((a, b) => b.id - a.id)
}

function saysSomething({ text }: Logged): boolean {
  return countsAsUnread(Stanza.parse(toWire(text)))
}
