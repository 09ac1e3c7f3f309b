// Who came, changed or went of late in a room: what somebody is shown who missed a while of it. Written down with
// who is there, so whoever takes the room over knows it, too.

import type { Jid } from '../../lib/xmpp/jid.js'

/** LIM-gone: nicks that left, of which a room remembers when */
export const MOST_GONE = 2000

export interface Departure {
  readonly nick: string
  /** Bare */
  readonly account: Jid
}

export class Changes {
  readonly #shown = new Map<string, number>()
  readonly #gone = new Map<string, { readonly account: Jid; readonly at: number }>()

  /** Of an occupant: now, or where the room is read, then */
  shown(nick: string, at: number): void {
    this.#gone.delete(nick)
    this.#shown.set(nick, Math.max(at, this.#shown.get(nick) ?? 0))
  }

  gone({ nick, account }: Departure, at: number): void {
    this.#shown.delete(nick)
    this.#gone.delete(nick)
    this.#gone.set(nick, { account, at })
    if (this.#gone.size > MOST_GONE) this.#gone.delete(this.#gone.keys().next().value!)
  }

  /** Whether somebody who is here was shown to the others since then */
  isNew(nick: string, since: number): boolean {
    return (this.#shown.get(nick) ?? 0) >= since
  }

  *goneSince(since: number): Generator<Departure> {
    for (const [nick, { account, at }] of this.#gone) if (at >= since) yield { nick, account }
  }
}
