// The lane of one room: everything in it happens in the order in which it came. What changes the room is
// alone until it is done; messages go to the disk beside each other, and end in order because commits do.

import type { Later } from '../../lib/core/later.js'
import { StanzaError } from '../../lib/xmpp/errors.js'

/** LIM-room-lane: what may wait for a room */
export const MOST_WAITING = 10_000

interface Waiting {
  readonly alone: boolean
  start(): void
}

export class RoomLane {
  #waiting: Waiting[] = []
  #beside = 0
  #alone = false
  #starting = false

  /** Nothing is under way or waits. */
  get idle(): boolean {
    return this.#beside === 0 && !this.#alone && this.#waiting.length === 0
  }

  /** After everything before it, before everything after it. At once, where nothing is under way. */
  alone<T>(work: () => Later<T>): Later<T> {
    return this.idle ? this.#runAlone(work) : this.#wait(true, () => this.#runAlone(work))
  }

  /** Beside others of its kind. */
  beside<T>(work: () => Later<T>): Later<T> {
    if (!this.#alone && this.#waiting.length === 0) return this.#runBeside(work)
    return this.#wait(false, () => this.#runBeside(work))
  }

  #wait<T>(alone: boolean, run: () => Later<T>): Promise<T> {
    if (this.#waiting.length >= MOST_WAITING)
      return Promise.reject(new StanzaError('resource-constraint', 'the room is busy'))
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        try {
          Promise.resolve(run()).then(resolve, reject)
        } catch (error) {
          reject(error)
        }
      }
      this.#waiting.push({ alone, start })
    })
  }

  #runAlone<T>(work: () => Later<T>): Later<T> {
    this.#alone = true
    return this.#until(work, () => {
      this.#alone = false
    })
  }

  #runBeside<T>(work: () => Later<T>): Later<T> {
    this.#beside++
    return this.#until(work, () => {
      this.#beside--
    })
  }

  #until<T>(work: () => Later<T>, ended: () => void): Later<T> {
    const end = (): void => {
      ended()
      this.#next()
    }
    let result: Later<T>
    try {
      result = work()
    } catch (error) {
      end()
      throw error
    }
    if (result instanceof Promise) return result.finally(end)
    end()
    return result
  }

  /** What is done at once comes back here: the one loop goes on, however much waited. */
  #next(): void {
    if (this.#starting) return
    this.#starting = true
    for (let next = this.#waiting[0]; next && this.#mayStart(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      next.start()
    }
    this.#starting = false
  }

  #mayStart({ alone }: Waiting): boolean {
    return !this.#alone && !(alone && this.#beside > 0)
  }
}
