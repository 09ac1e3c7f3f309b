// Nodes that find each other by Redis.

import type { Cluster, Joining, Neighbourhood } from './cluster.js'
import { Membership } from './membership.js'
import { RedisBus } from './redis-bus.js'
import { RedisDirectory } from './redis-directory.js'
import { RedisLink } from './redis-link.js'

export class RedisCluster implements Cluster {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async join({ node, life, clock, log, secret }: Joining): Promise<Neighbourhood> {
    const [link, key] = await Promise.all([RedisLink.open(this.#url, log), secret()])
    const membership = new Membership({ self: { node, life }, link, clock })
    const bus = await RedisBus.open({ link, membership, secret: key, clock, log })
    const directory = new RedisDirectory({ link, members: membership, clock })
    return { members: membership, bus, directory }
  }
}
