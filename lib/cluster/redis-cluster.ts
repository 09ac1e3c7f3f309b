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
    membership.onLapse(() => log.warn('this node was taken for gone: its lease had ended'))
    const bus = await RedisBus.open({ link, membership, secret: key, log })
    return { bus, directory: new RedisDirectory(link) }
  }
}
