// Rows of the index of the message log that are in memory only. There are many, and they live just long
// enough to be a burden for whoever collects garbage: so they are kept as columns of numbers, chained by
// account. What is removed is only marked, so that it can be put back in its place.

import { INCOMING } from './logged-message.js'
import type { IndexRow } from './message-log.js'

const FIRST_SIZE = 1024

/** The rows of one account, by their places in the columns */
interface Chain {
  readonly first: number
  last: number
  length: number
}

export class WaitingRows {
  #length = 0
  #chains = new Map<number, Chain>()
  #id = new Float64Array(FIRST_SIZE)
  #peer = new Float64Array(FIRST_SIZE)
  #label = new Float64Array(FIRST_SIZE)
  #flags = new Int32Array(FIRST_SIZE)
  #next = new Int32Array(FIRST_SIZE)
  #removed = new Set<number>()

  /** Those included that were removed */
  get length(): number {
    return this.#length
  }

  /** How many rows its account has here now. Rows of an account come in the order of their numbers. */
  add({ owner, id, peer, flags, label }: IndexRow): number {
    const at = this.#length++
    if (at === this.#id.length) this.#grow()
    this.#id[at] = id
    this.#peer[at] = peer
    this.#label[at] = label
    this.#flags[at] = flags
    this.#next[at] = -1
    const chain = this.#chains.get(owner)
    if (!chain) {
      this.#chains.set(owner, { first: at, last: at, length: 1 })
      return 1
    }
    this.#next[chain.last] = at
    chain.last = at
    return ++chain.length
  }

  #grow(): void {
    const size = this.#id.length * 2
    this.#id = larger(this.#id, new Float64Array(size))
    this.#peer = larger(this.#peer, new Float64Array(size))
    this.#label = larger(this.#label, new Float64Array(size))
    this.#flags = larger(this.#flags, new Int32Array(size))
    this.#next = larger(this.#next, new Int32Array(size))
  }

  owners(): IterableIterator<number> {
    return this.#chains.keys()
  }

  /** Of the account that has the most */
  get longest(): number {
    let longest = 0
    for (const { length } of this.#chains.values()) longest = Math.max(longest, length)
    return longest
  }

  /** Oldest first */
  rows(owner: number): IndexRow[] {
    const rows: IndexRow[] = []
    for (const at of this.#places(owner)) rows.push(this.#row(owner, at))
    return rows
  }

  *#places(owner: number): Iterable<number> {
    const first = this.#chains.get(owner)?.first ?? -1
    for (let at = first; at >= 0; at = this.#next[at]!) if (!this.#removed.has(at)) yield at
  }

  #row(owner: number, at: number): IndexRow {
    const [id, peer, label] = [this.#id[at]!, this.#peer[at]!, this.#label[at]!]
    return { owner, id, peer, flags: this.#flags[at]!, label }
  }

  /** What this gives back puts them back. */
  remove(owner: number, which: (row: IndexRow) => boolean): () => void {
    const gone = [...this.#places(owner)].filter((at) => which(this.#row(owner, at)))
    for (const at of gone) this.#removed.add(at)
    return () => {
      for (const at of gone) this.#removed.delete(at)
    }
  }

  /** Sets bits of one row; what this gives back sets its flags as they were. */
  mark(owner: number, id: number, flags: number): () => void {
    for (const at of this.#places(owner)) {
      if (this.#id[at] !== id) continue
      const before = this.#flags[at]!
      this.#flags[at] = before | flags
      return () => {
        this.#flags[at] = before
      }
    }
    return () => {}
  }

  /**
   * Their numbers, by account, as many at a time as are wanted; those of senders' sides with a minus.
   * Removed ones too: who removed them may yet put them back.
   */
  *chunks(size: () => number): Iterable<number[]> {
    let chunk: number[] = []
    let wanted = size()
    for (const owner of Float64Array.from(this.#chains.keys()).sort()) {
      for (let at = this.#chains.get(owner)!.first; at >= 0; at = this.#next[at]!) {
        if (chunk.push(side(this.#id[at]!, this.#flags[at]!)) < wanted) continue
        yield chunk
        chunk = []
        wanted = size()
      }
    }
    if (chunk.length > 0) yield chunk
  }
}

export function side(id: number, flags: number): number {
  return flags & INCOMING ? id : -id
}

function larger<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
