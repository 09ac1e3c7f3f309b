// Takes what a room says to its visitors: to sessions of this node at once, to those of another node in one
// frame, to those of other servers by the router. The order in which it is called is the order in which each
// visitor gets it. What a node does with it is in guests.ts.

import type { Host } from '../../../lib/core/host.js'
import type { Wire } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import type { Guests } from './guests.js'
import type { Visitor } from '../occupants.js'
import type { Room } from '../room.js'

/** One thing that a room says */
export interface Said {
  readonly stanza: Stanza
  /** The room or somebody in it */
  readonly from: Jid
  /** In the room's log, 0 where it is not there */
  readonly number: number
  /** What was said to everybody before it and is in the log; who does not have that reads it there. */
  readonly previous: number
  /** Milliseconds since 1970 */
  readonly arrived: number
}

/** What every word of an owner begins with: in which of its tenures it says so. */
export interface Tenure {
  readonly room: string
  readonly epoch: number
}

/** What one node is told for sessions of its own: one thing, or several of which none is in the log */
export type Frame = readonly [
  room: string,
  epoch: number,
  arrived: number,
  number: number,
  previous: number,
  to: readonly string[],
  ...said: (readonly [from: string, text: Wire])[],
]

/** Things that are said in one frame */
const IN_A_FRAME = 200

export class FanOut {
  readonly #host: Host
  readonly #guests: Guests
  readonly #topic: string
  readonly #ends: () => void

  constructor(host: Host, guests: Guests) {
    this.#host = host
    this.#guests = guests
    this.#topic = `rooms ${host.domain}`
    this.#ends = host.server.talk.on(this.#topic, (frame) => this.#heard(frame as Frame))
  }

  close(): void {
    this.#ends()
  }

  /** The same for each of them; what is said together goes to a node in one frame. */
  send(room: Room, all: readonly Said[], visitors: Iterable<Visitor>): void {
    const self = this.#host.server.node
    const here: string[] = []
    let elsewhere: Map<string, string[]> | undefined
    for (const { jid, node, away } of visitors) {
      if (away) continue
      if (node === self) here.push(jid.text)
      else if (node === '') this.#toServer(all, jid)
      else {
        elsewhere ??= new Map()
        const there = elsewhere.get(node)
        if (there) there.push(jid.text)
        else elsewhere.set(node, [jid.text])
      }
    }
    const tenure = { room: room.jid.text, epoch: room.epoch }
    if (here.length > 0) this.#guests.told(tenure, all, here)
    if (elsewhere) this.#tell(tenure, all, elsewhere)
  }

  #toServer(all: readonly Said[], to: Jid): void {
    for (const { stanza, from } of all) this.#host.router.send(stanza, { from, to })
  }

  #tell({ room, epoch }: Tenure, all: readonly Said[], to: ReadonlyMap<string, string[]>): void {
    const { arrived, number, previous } = all[0]!
    for (let at = 0; at < all.length; at += IN_A_FRAME) {
      const some = all.slice(at, at + IN_A_FRAME)
      const said = some.map(({ stanza, from }) => [from.text, stanza.render('', '')] as const)
      for (const [node, addresses] of to) {
        const frame: Frame = [room, epoch, arrived, number, previous, addresses, ...said]
        this.#host.server.talk.tell(this.#topic, frame, node)
      }
    }
  }

  #heard([room, epoch, arrived, number, previous, to, ...said]: Frame): void {
    const all = said.map(([from, text]) => ({
      ...{ stanza: Stanza.parse(text), from: Jid.parse(from) },
      ...{ arrived, number, previous },
    }))
    this.#guests.told({ room, epoch }, all, to)
  }
}
