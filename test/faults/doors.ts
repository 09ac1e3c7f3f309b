// Through which node a device comes in, as behind a load balancer that knows which ones take
// connections; and which of its lives each node is in: what a client had of an earlier one came back
// from the disk.

import type { Draw } from './draw.js'

export interface Door {
  readonly node: number
  readonly life: number
}

export class Doors {
  readonly #draw: Draw
  readonly #lives: number[]
  readonly #open: Set<number>

  constructor(draw: Draw, nodes: number) {
    this.#draw = draw
    this.#lives = Array.from({ length: nodes }, () => 1)
    this.#open = new Set(this.#lives.keys())
  }

  /** Where nobody takes connections, whoever asks is refused somewhere. */
  choose(): Door {
    const open = this.open.length > 0 ? this.open : [...this.#lives.keys()]
    const node = open.length === 1 ? open[0]! : this.#draw.of(open)
    return { node, life: this.lifeOf(node) }
  }

  get open(): number[] {
    return [...this.#open].sort((a, b) => a - b)
  }

  lifeOf(node: number): number {
    return this.#lives[node]!
  }

  /** It takes nobody in for now; whom it has it keeps. */
  shut(node: number): void {
    this.#open.delete(node)
  }

  unlock(node: number): void {
    this.#open.add(node)
  }

  /** What it did not write down is gone, or others may have taken it over. */
  ended(node: number): void {
    this.#lives[node]!++
  }
}
