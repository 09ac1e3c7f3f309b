// What stands beside the first node: Redis, where there are several, and the other nodes, each in a folder
// of its own over the same database. They begin when the first one has made what all share.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Group } from './groups.js'
import type { Ports, Site } from './peers/peer.js'
import { freePorts } from './peers/ports.js'
import { type RedisServer, startRedis } from './peers/redis.js'
import { type Running, start } from './peers/running.js'

export const isCluster = ({ nodes, workers }: Pick<Group, 'nodes' | 'workers'>) =>
  nodes > 1 || workers > 1

export async function redisFor(group: Group, folder: string): Promise<RedisServer | undefined> {
  return isCluster(group) ? startRedis(folder) : undefined
}

/** All nodes but the first. */
export async function startOthers(first: Running, { nodes }: Group): Promise<Running[]> {
  const others: Running[] = []
  try {
    for (let place = 2; place <= nodes; place++) {
      const site = await siteOf(
        first.site,
        place,
        [first, ...others].map(({ site }) => site.ports),
      )
      others.push(await start(first.peer, site))
    }
  } catch (error) {
    await stopAll(others)
    throw error
  }
  return others
}

async function siteOf(site: Site, place: number, taken: readonly Ports[]): Promise<Site> {
  const folder = join(site.folder, `node-${place}`)
  mkdirSync(folder, { recursive: true })
  const used = taken.flatMap((ports) => Object.values(ports))
  for (;;) {
    const ports = await freePorts()
    if (!Object.values(ports).some((port) => used.includes(port))) return { ...site, folder, ports }
  }
}

export async function stopAll(servers: readonly Running[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}
