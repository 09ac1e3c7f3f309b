// What happens one after the other, where some of it takes several turns of the event loop or waits for the
// disk: what comes meanwhile waits. How much is done in one turn is counted in writes, because all other
// sessions of this process wait for as long; who is far behind does more at a time, as one write to a socket
// then carries several stanzas.

/** LIM-writes-at-once: sessions that are written to in one turn of the event loop */
const AT_ONCE = 500
/** The same where much waits */
const AT_ONCE_BEHIND = 5000
const MUCH = 100

export class TurnTaking {
  readonly #failed: (error: unknown) => void
  #waiting: (() => void)[] = []
  #next = 0
  #held = false
  /** Writes that are left in this turn */
  #left = 0

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Something is under way or waits. */
  get busy(): boolean {
    return this.#held || this.#next < this.#waiting.length
  }

  get farBehind(): boolean {
    return this.#waiting.length - this.#next > MUCH
  }

  /** After everything that came before; at once where nothing did. */
  take(run: () => void): void {
    if (this.busy) {
      this.#waiting.push(run)
      return
    }
    this.#left = AT_ONCE
    run()
  }

  /** What comes waits until `goOn`. */
  hold(): void {
    this.#held = true
  }

  /** This, and then what waited, until something holds again. */
  goOn(first: () => void): void {
    this.#held = false
    this.#left = this.farBehind ? AT_ONCE_BEHIND : AT_ONCE
    this.#run(first)
    while (!this.#held && this.#next < this.#waiting.length) this.#run(this.#waiting[this.#next++]!)
    this.#forgetDone()
  }

  /** Of so many writes, how many may be in this turn */
  share(wanted: number): number {
    const share = Math.min(wanted, this.#left)
    this.#left -= share
    return share
  }

  /** What fails is over; nobody waits for it. */
  #run(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failed(error)
    }
  }

  #forgetDone(): void {
    if (this.#next * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#next)
    this.#next = 0
  }
}
