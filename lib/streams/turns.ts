// One step at a time: while a step waits, those that follow wait in their order, and whoever feeds
// them is told to hold. Bounded by what one read from the transport brings.

export type Step = () => void | Promise<void>

export interface TurnsOwner {
  hold(until: Promise<void>): void
  release(): void
  fail(error: unknown): void
}

export class Turns {
  readonly #owner: TurnsOwner
  #waiting: Step[] = []
  #busy = false
  #stopped = false

  constructor(owner: TurnsOwner) {
    this.#owner = owner
  }

  get busy(): boolean {
    return this.#busy
  }

  take(step: Step): void {
    if (this.#stopped) return
    if (this.#busy) {
      this.#waiting.push(step)
      return
    }
    try {
      const later = step()
      if (later) this.#await(later)
    } catch (error) {
      this.#owner.fail(error)
    }
  }

  /** What waits is dropped; the step under way goes on. */
  drop(): void {
    this.#waiting.length = 0
  }

  stop(): void {
    this.#stopped = true
    this.drop()
  }

  #await(later: Promise<void>): void {
    this.#busy = true
    this.#owner.hold(later)
    later.then(
      () => this.#next(),
      (error) => {
        this.#busy = false
        this.#owner.fail(error)
      },
    )
  }

  #next(): void {
    this.#busy = false
    while (!this.#busy && this.#waiting.length > 0) this.take(this.#waiting.shift()!)
    if (!this.#busy) this.#owner.release()
  }
}
