// Tasks of modules that run again and again. A task that is still running when its time comes is not
// started twice; one that breaks is logged and runs again at its next time. What is to be done once for
// all nodes is done by the first of them by name: for a moment two may think that they are it.

import type { Clock, Timer } from '../ops/clock.js'
import type { Task } from './module.js'

export class Schedule {
  /** Whether this node does what one of all does. */
  elected: () => boolean = () => true
  readonly #clock: Clock
  readonly #failed: (where: string, error: unknown) => void
  readonly #pending: (run: Promise<void>) => void
  readonly #timers = new Map<string, Map<string, Timer>>()

  /** `pending` is told of each run: stopping waits for those under way. */
  constructor(
    clock: Clock,
    failed: (where: string, error: unknown) => void,
    pending: (run: Promise<void>) => void = () => undefined,
  ) {
    this.#clock = clock
    this.#failed = failed
    this.#pending = pending
  }

  add(owner: string, task: Task): void {
    const timers = this.#timers.get(owner) ?? new Map<string, Timer>()
    this.#timers.set(owner, timers)
    const again = (): void =>
      void timers.set(
        task.name,
        this.#clock.after(task.every, () => this.#pending(run())),
      )
    const run = async (): Promise<void> => {
      try {
        if (!task.once || this.elected()) await task.run()
      } catch (error) {
        this.#failed(`task ${task.name}`, error)
      }
      if (this.#timers.get(owner) === timers) again()
    }
    again()
  }

  remove(owner: string): void {
    for (const timer of this.#timers.get(owner)?.values() ?? []) timer.cancel()
    this.#timers.delete(owner)
  }

  close(): void {
    for (const owner of [...this.#timers.keys()]) this.remove(owner)
  }
}
