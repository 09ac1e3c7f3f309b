// Requests of a client that were counted as handled and whose answers it has not acknowledged: after a
// crash nobody answers them any more, and somebody has to say so. Written beside the count, so short and
// few of them.

import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

/** LIM-open-requests: that are remembered of one client, the newest */
const MOST = 50
/** Of an id and an address together; who makes longer ones is not told. */
const LONGEST = 500

export interface OpenRequest {
  readonly id: string
  /** '' where it named nobody */
  readonly to: string
}

interface Counted extends OpenRequest {
  readonly count: number
}

export class OpenRequests {
  #open: Counted[] = []
  #text = ''
  #textUpTo = 0

  asked({ stanza, addressed, to }: Envelope, count: number): void {
    const address = addressed ? to.text : ''
    if (stanza.id === '' || stanza.id.length + address.length > LONGEST) return
    this.#open.push({ id: stanza.id, to: address, count })
    if (this.#open.length > MOST) this.#open.shift()
    this.#textUpTo = -1
  }

  /** The client has this answer; whether that was one of them. */
  answered({ type, id }: Stanza): boolean {
    if (type !== 'result' && type !== 'error') return false
    const at = this.#open.findIndex((request) => request.id === id)
    if (at < 0) return false
    this.#open.splice(at, 1)
    this.#textUpTo = -1
    return true
  }

  /** Those of a session that goes on here: their answers come, or came along. */
  goOn(open: readonly OpenRequest[]): void {
    this.#open = open.map((request) => ({ ...request, count: 0 }))
    this.#textUpTo = -1
  }

  /** What came beyond so many stanzas comes again. */
  rewind(count: number): void {
    this.#open = this.#open.filter((request) => request.count <= count)
    this.#textUpTo = -1
  }

  /** Those among the first so many stanzas, as a text. */
  upTo(count: number): string {
    if (this.#open.length === 0) return ''
    const newest = this.#open[this.#open.length - 1]!.count
    if (this.#textUpTo === newest && newest <= count) return this.#text
    const counted = this.#open.filter((request) => request.count <= count)
    this.#text = JSON.stringify(counted.map(({ id, to }) => [id, to]))
    this.#textUpTo = counted.length === this.#open.length ? newest : -1
    return this.#text
  }
}

export function readRequests(text: string): readonly OpenRequest[] {
  if (text === '') return []
  return (JSON.parse(text) as [string, string][]).map(([id, to]) => ({ id, to }))
}
