// On which node one device is, and whether what it had there has ended since.

import type { Door, Doors } from './doors.js'

export class Whereabouts {
  /** How often the life of its node had ended when it came back */
  ends = 0
  readonly #lives: Pick<Doors, 'lifeOf'>
  #dialled: Door | undefined
  #home: Door | undefined

  constructor(lives: Pick<Doors, 'lifeOf'>) {
    this.#lives = lives
  }

  dials(door: Door): void {
    this.#dialled = door
  }

  /** Through the door that it dialled; whether the life where it was before has ended. */
  enters(): boolean {
    const ended = this.#hadEnded()
    this.#home = this.#dialled
    if (ended) this.ends++
    return ended
  }

  /** Where it is, or tries to be */
  get node(): number {
    return this.#dialled?.node ?? -1
  }

  /** Of a node that it comes back to, that life counts which it dialled: the next may have begun since. */
  #hadEnded(): boolean {
    if (!this.#home) return false
    const { node, life } = this.#home
    const dialled = this.#dialled!
    return life !== (dialled.node === node ? dialled.life : this.#lives.lifeOf(node))
  }
}
