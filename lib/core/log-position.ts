// Where a session stands in the message log of its account: whether older messages are owed to it than
// those that it is sent, and what it has already. Without anybody who says otherwise a session follows:
// what it takes moves its account's cursor (storage/taken.ts). While it does not follow, it is sent what
// is for it by name, and the cursor stays.

/** LIM-apart: messages remembered that came to a session out of their turn, or were left out of it */
const MOST = 1000
/** LIM-before: messages remembered that a session had before it was made again */
const MOST_BEFORE = 5000
/** LIM-readings: stretches of the log of which it is remembered that they were read for a session */
const MOST_READINGS = 16

/** After the one, up to the other */
interface Stretch {
  readonly from: number
  to: number
}

export class LogPosition {
  /** The newest of the whole log when it was bound: what is older it has by itself, or comes to it. */
  readonly begun: number
  #follows = true
  #newest = 0
  #read = 0
  /** The latest last */
  readonly #readings: Stretch[] = []
  readonly #apart = new Set<number>()
  readonly #left = new Set<number>()
  readonly #before = new Set<number>()

  constructor(begun = 0) {
    this.begun = begun
  }

  get follows(): boolean {
    return this.#follows
  }

  /** The newest message that it was sent in turn */
  get newest(): number {
    return this.#newest
  }

  /** Everything up to this message was read from the log for it; 0 where something older was not. */
  get read(): number {
    return this.#read
  }

  /** From here on nothing is left out. */
  follow(): void {
    this.#follows = true
  }

  /** From here on messages for the account may pass it by. */
  part(): void {
    this.#follows = false
  }

  /** This message is written to it. */
  sent(id: number): void {
    if (this.#left.size > 0) this.#left.delete(id)
    if (this.#follows) this.#newest = Math.max(this.#newest, id)
    else remember(this.#apart, id)
  }

  /** Everything up to this message, and after `from`, was read from the log for it. */
  caughtUp(id: number, from = 0): void {
    if (from <= this.#read) this.#read = Math.max(this.#read, id)
    const last = this.#readings.at(-1)
    if (last && from >= last.from && from <= last.to) last.to = Math.max(last.to, id)
    else if (this.#readings.push({ from, to: id }) > MOST_READINGS) this.#readings.shift()
  }

  /** It was read and not given to it: where it arrives for it after that, it does not have it. */
  leftOut(id: number): void {
    remember(this.#left, id)
  }

  /** What it was sent out of turn */
  get apart(): readonly number[] {
    return [...this.#before, ...this.#apart]
  }

  /** Its client was sent this message before the session was made again. */
  hadBefore(id: number): void {
    remember(this.#before, id, MOST_BEFORE)
  }

  /** Whether it was sent this message already: out of turn, or from the log before it arrived. */
  has(id: number): boolean {
    if (this.#apart.has(id) || this.#before.has(id)) return true
    return this.#readings.some(({ from, to }) => id > from && id <= to) && !this.#left.has(id)
  }

  /** Whether everything before this message, which has reached the client, did so too. */
  inTurn(id: number): boolean {
    return this.#follows && !this.#apart.has(id)
  }
}

function remember(ids: Set<number>, id: number, most = MOST): void {
  ids.add(id)
  if (ids.size > most) ids.delete(ids.values().next().value!)
}
