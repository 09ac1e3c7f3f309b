// What a device has sent and the server has not acknowledged (XEP-0198 §4): positions count from
// the `<enable/>` of the stream. On a stream that is resumed the rest goes out again at its old
// positions; on a new stream only messages do, in their old order, with new positions.

export interface Item {
  /** Of a message; other stanzas are not sent again on a new stream. */
  mid?: string
  /** Bare address of the recipient */
  to?: string
  text: string
  position: number
}

export type Again = 'counted' | 'uncounted'

export class Outbox {
  stream: string
  /** To be named on resumption; undefined where the server offered none. */
  id: string | undefined
  sent = 0
  acked = 0
  items: Item[] = []
  /** Messages that wait to be sent on a new stream */
  waiting: Item[] = []
  /** Whether those were excluded by an exact count */
  again: Again = 'uncounted'

  constructor(stream: string) {
    this.stream = stream
  }

  get messages(): number {
    return this.items.filter(({ mid }) => mid !== undefined).length + this.waiting.length
  }

  put(item: Omit<Item, 'position'>): Item {
    const placed = { ...item, position: ++this.sent }
    this.items.push(placed)
    return placed
  }

  /** Counts that make no sense are ignored here; the checker sees them. */
  acknowledge(h: number): void {
    if (h <= this.acked || h > this.sent) return
    this.items.splice(0, h - this.acked)
    this.acked = h
  }

  /** A new stream begins: what is left of the old one waits. */
  renew(stream: string, id: string | undefined, again: Again): void {
    if (this.items.length > 0 || this.waiting.length === 0) this.again = again
    this.waiting = [...this.items.filter(({ mid }) => mid !== undefined), ...this.waiting]
    this.items = []
    this.stream = stream
    this.id = id
    this.sent = 0
    this.acked = 0
  }

  remove(mid: string): void {
    this.waiting = this.waiting.filter((item) => item.mid !== mid)
  }
}
