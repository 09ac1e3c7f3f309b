// What devices of other nodes alone were sent: it holds the account's cursor on this node, too, until their
// sessions have it. That is known from the rows of those sessions, now and then: a cursor that follows late
// costs nothing.

import type { Host } from '../../lib/core/host.js'
import { lastHeard, type Position, type SessionStore } from './store.js'

/** LIM-held-elsewhere: messages that are looked at in one turn */
const MOST = 2000

export class Held {
  readonly #host: Host
  readonly #store: SessionStore

  constructor(host: Host, store: SessionStore) {
    this.#host = host
    this.#store = store
  }

  async look(): Promise<void> {
    const { taken } = this.#host.server
    const held = first(taken.allElsewhere(), MOST)
    if (held.length === 0) return
    const accounts = [...new Set(held.map(({ account }) => account))]
    const positions = new Map<string, Position>()
    for (const found of await this.#store.positions(accounts))
      if (!this.#isOver(found)) positions.set(keyOf(found), found)
    for (const owed of held) {
      const there = positions.get(keyOf(owed))
      // Gone for good, or nobody keeps count of what it has: then written is all that can be known.
      if (!there) taken.givenBack(owed.account, owed.id, false)
      else if (Number(there.position) >= owed.id) taken.had(owed.account, owed.id)
    }
  }

  #isOver(found: Position): boolean {
    return this.#host.clock.now() - lastHeard(found) >= found.timeout
  }
}

function keyOf({ account, resource }: { account: number; resource: string }): string {
  return `${account} ${resource}`
}

function first<T>(all: Iterable<T>, most: number): T[] {
  const some: T[] = []
  for (const one of all) {
    if (some.length >= most) break
    some.push(one)
  }
  return some
}
