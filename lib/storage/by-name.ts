// What of one account's log one of its devices alone was sent, by its full address, and has not
// acknowledged: the account's cursor must not pass it, whatever other devices have. Bounded; while there
// is more than that the cursor does not pass the first of the rest either, until all are acknowledged.
// Of a device of another node that is known here later, from what is on disk.

/** LIM-by-name: messages of one account that are remembered one by one */
const MOST = 1000

export class ByName {
  /** Where the cursor would be; 0 where it is not known to be anywhere else than it is */
  wanted = 0
  readonly #owed = new Map<number, string>()
  readonly #elsewhere = new Set<number>()
  #lowest = Number.MAX_SAFE_INTEGER
  /** The first and the last of those that are not remembered, 0 for none */
  #first = 0
  #last = 0

  get empty(): boolean {
    return this.#owed.size === 0 && this.#last === 0
  }

  /** How far the cursor may move that would move there. */
  upTo(wanted: number): number {
    const lowest = this.#last > 0 ? Math.min(this.#lowest, this.#first) : this.#lowest
    if (wanted < lowest) return wanted
    this.wanted = Math.max(this.wanted, wanted)
    return lowest - 1
  }

  add(id: number, resource: string): void {
    this.#elsewhere.delete(id)
    if (this.#owed.size < MOST || this.#owed.has(id)) {
      this.#owed.set(id, resource)
      this.#lowest = Math.min(this.#lowest, id)
      return
    }
    this.#first = this.#last > 0 ? Math.min(this.#first, id) : id
    this.#last = Math.max(this.#last, id)
  }

  /** To a device of another node; more than are remembered are not held. */
  addElsewhere(id: number, resource: string): void {
    if (this.#owed.size >= MOST) return
    this.add(id, resource)
    this.#elsewhere.add(id)
  }

  /** What is known to be owed here is another node's affair from now on. */
  leave(resource: string): void {
    for (const id of this.of(resource)) this.#elsewhere.add(id)
  }

  /** What devices of other nodes are owed */
  *elsewhere(): Generator<{ id: number; resource: string }> {
    for (const id of [...this.#elsewhere]) yield { id, resource: this.#owed.get(id)! }
  }

  /** Whether it was owed */
  remove(id: number): boolean {
    this.#elsewhere.delete(id)
    if (this.#owed.delete(id)) {
      if (id === this.#lowest) this.#search()
      return true
    }
    if (this.#last === 0 || id < this.#first) return false
    // A device acknowledges in the order in which it was sent them.
    this.#first = id + 1
    if (this.#first > this.#last) this.#last = 0
    return true
  }

  #search(): void {
    this.#lowest = Number.MAX_SAFE_INTEGER
    for (const id of this.#owed.keys()) this.#lowest = Math.min(this.#lowest, id)
  }

  /** Those of one device, lowest first */
  of(resource: string): number[] {
    const ids: number[] = []
    for (const [id, whose] of this.#owed) if (whose === resource) ids.push(id)
    return ids.sort((a, b) => a - b)
  }
}
