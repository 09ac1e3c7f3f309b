// Whoever wants the same thing waits for those who wanted it before.

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  take<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const turn = before.then(run, run)
    this.#last.set(key, turn)
    const done = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
    turn.then(done, done)
    return turn
  }
}
