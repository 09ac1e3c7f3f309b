// Bus and Directory within one process: what a single node uses, and what tests use for several.
// Nodes that share a MemoryCluster see each other; a frame arrives in a later turn of the event
// loop, as it would from a network.

import type { Bus } from './bus.js'
import type { Cluster, Joining, Member, Members, Neighbourhood } from './cluster.js'
import type { Directory, Place } from './directory.js'

type Receive = (from: string, frame: Buffer) => void
type Mourn = (member: Member, said: boolean) => void

export class MemoryCluster implements Cluster {
  readonly #receivers = new Map<string, Receive>()
  readonly #places = new Map<string, readonly Place[]>()
  readonly #lives = new Map<string, string>()
  readonly #mourners = new Map<string, Mourn[]>()

  async join({ node, life }: Pick<Joining, 'node' | 'life'>): Promise<Neighbourhood> {
    const bus = this.bus(node)
    this.#lives.set(node, life)
    return { members: this.#members({ node, life }), bus, directory: this.directory() }
  }

  #members(self: Member): Members {
    const lives = this.#lives
    return {
      self,
      get size() {
        return lives.size
      },
      all: () => [...lives].map(([node, life]) => ({ node, life })),
      lifeOf: (node) => lives.get(node),
      cutOff: false,
      silence: 0,
      sure: true,
      say: async () => {},
      onGone: (run) => {
        const others = this.#mourners.get(self.node) ?? []
        this.#mourners.set(self.node, [...others, run])
      },
    }
  }

  #leave(node: string, said: boolean): void {
    this.#receivers.delete(node)
    this.#mourners.delete(node)
    const life = this.#lives.get(node)
    this.#lives.delete(node)
    if (life === undefined) return
    for (const mourn of [...this.#mourners.values()].flat()) mourn({ node, life }, said)
  }

  bus(node: string): Bus {
    if (this.#receivers.has(node)) throw new Error(`there is a node ${node} already`)
    const receivers = this.#receivers
    receivers.set(node, () => {})
    let closed = false
    return {
      node,
      onFrame: (receive) => void receivers.set(node, receive),
      // Memory loses nothing.
      onMissed: () => {},
      missed: () => {},
      send: (to, frame) => !closed && deliver(receivers, { from: node, to, frame }),
      sendAll(frame) {
        const others = closed ? [] : [...receivers.keys()].filter((to) => to !== node)
        for (const to of others) deliver(receivers, { from: node, to, frame })
      },
      nodes: () => [...receivers.keys()],
      close: async (quietly = false) => {
        if (!closed) this.#leave(node, !quietly)
        closed = true
      },
    }
  }

  directory(): Directory {
    const places = this.#places
    let closed = false
    return {
      put(account, place) {
        if (!closed) places.set(account, [...without(places, account, place.id), place])
      },
      remove(account, id) {
        if (closed) return
        const left = without(places, account, id)
        if (left.length > 0) places.set(account, left)
        else places.delete(account)
      },
      lookup: (account) => places.get(account) ?? nowhere,
      remembered: (account) => places.get(account) ?? nowhere,
      doubt: () => {},
      alone: () => {},
      left: async () => nowhere,
      close: async () => {
        closed = true
      },
    }
  }
}

const nowhere: readonly Place[] = []

function without(
  places: Map<string, readonly Place[]>,
  account: string,
  id: string,
): readonly Place[] {
  return (places.get(account) ?? nowhere).filter((place) => place.id !== id)
}

interface Sending {
  from: string
  to: string
  frame: Buffer
}

function deliver(receivers: Map<string, Receive>, { from, to, frame }: Sending): boolean {
  if (!receivers.has(to)) return false
  setImmediate(() => receivers.get(to)?.(from, frame))
  return true
}
