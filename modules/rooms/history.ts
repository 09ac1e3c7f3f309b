// What was said last in a room, for those who enter (XEP-0045 §7.2.13): with a bound, in memory, and read
// from the log by whoever takes the room over.

import { delayed } from '../../lib/xmpp/delay.js'
import type { Element } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { readStamp } from '../../lib/xmpp/delay.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

/** LIM-room-history: characters that one room keeps in memory for newcomers */
export const MOST_TEXT = 256 * 1024

export interface Said {
  readonly from: Jid
  /** With the room's ids, as everybody got it */
  readonly stanza: Stanza
  /** Milliseconds since 1970 */
  readonly at: number
}

/** How much a newcomer wants; everything that is bounded bounds (§7.2.14). */
export interface Wanted {
  readonly most: number
  readonly mostText: number
  readonly since: number
}

export class History {
  #said: Said[] = []
  #text = 0
  #most: number

  constructor(most: number) {
    this.#most = most
  }

  keep(most: number): void {
    this.#most = most
    this.#trim()
  }

  add(said: Said): void {
    this.#said.push(said)
    this.#text += said.stanza.content.length
    this.#trim()
  }

  /** What was said under this id is taken back, or is replaced by what stands for it. */
  replace(is: (said: Said) => boolean, by: (said: Said) => Said | undefined): void {
    this.#said = this.#said.flatMap((said) => (is(said) ? (by(said) ?? []) : said))
    this.#text = this.#said.reduce((sum, { stanza }) => sum + stanza.content.length, 0)
  }

  clear(): void {
    this.#said = []
    this.#text = 0
  }

  /** Oldest first, as it is sent */
  wanted(room: Jid, { most, mostText, since }: Wanted): Said[] {
    const chosen: Said[] = []
    let text = 0
    for (let i = this.#said.length - 1; i >= 0 && chosen.length < most; i--) {
      const said = this.#said[i]!
      const stanza = said.stanza.with({ append: delayed(said.at, room.attr) })
      text += stanza.render(said.from.attr, '').length
      if (said.at < since || text > mostText) break
      chosen.push({ ...said, stanza })
    }
    return chosen.reverse()
  }

  #trim(): void {
    while (this.#said.length > this.#most || this.#text > MOST_TEXT)
      this.#text -= this.#said.shift()!.stanza.content.length
  }
}

/** From `<history/>` in `<x/>`; what cannot be read does not bound. */
export function readWanted(x: Element | undefined, standard: number, now: number): Wanted {
  const history = x?.getChild('history')
  const { maxstanzas, maxchars, seconds, since } = history?.attrs ?? {}
  const recent = count(seconds)
  return {
    most: Math.min(count(maxstanzas) ?? standard, standard),
    mostText: count(maxchars) ?? Number.POSITIVE_INFINITY,
    since: Math.max(
      recent === undefined ? 0 : now - recent * 1000,
      (typeof since === 'string' ? readStamp(since) : undefined) ?? 0,
    ),
  }
}

function count(text: unknown): number | undefined {
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
