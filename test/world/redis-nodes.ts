// Nodes over a real Redis whose frames can be waited for: what one has sent the other has got.

import type { Bus } from '../../lib/cluster/bus.js'
import type { Cluster, Joining, Neighbourhood } from '../../lib/cluster/cluster.js'
import { RedisCluster } from '../../lib/cluster/redis-cluster.js'

export class RedisNodes implements Cluster {
  readonly #cluster: RedisCluster
  readonly #sending = new Set<Promise<unknown>>()
  #underWay = 0

  constructor(url: string) {
    this.#cluster = new RedisCluster(url)
  }

  async join(joining: Joining): Promise<Neighbourhood> {
    const { bus, ...rest } = await this.#cluster.join(joining)
    return { ...rest, bus: this.#watched(bus) }
  }

  /** Resolves when everything sent so far has arrived. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0 || this.#underWay > 0) {
      await Promise.all(this.#sending)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #watched(bus: Bus): Bus {
    const watched: Bus = {
      get node() {
        return bus.node
      },
      // One by one: whether each was there is known then.
      sendAll: (frame) => {
        for (const node of bus.nodes()) if (node !== bus.node) void watched.send(node, frame)
      },
      nodes: () => bus.nodes(),
      close: (quietly) => bus.close(quietly),
      onMissed: (repair) => bus.onMissed(repair),
      missed: (since) => bus.missed(since),
      onFrame: (receive) =>
        bus.onFrame((from, frame) => {
          this.#underWay--
          receive(from, frame)
        }),
      send: (node, frame) => {
        this.#underWay++
        const sent = Promise.resolve(bus.send(node, frame)).then((arrived) => {
          if (!arrived) this.#underWay--
          this.#sending.delete(sent)
          return arrived
        })
        this.#sending.add(sent)
        return sent
      },
    }
    return watched
  }
}
