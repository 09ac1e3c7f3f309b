// One node loses one of its three links: to Redis, to PostgreSQL, or to its clients. The others see it as
// ever. In turn nothing passes, or nothing passes one way.

import type { LinkName, Silence } from './island.js'
import type { Remarks } from './kill.js'
import type { Stage } from './stage.js'
import { troubles } from './trouble.js'

const PARTITION_MS = 20_000
const SILENCES: readonly Silence[] = ['both', 'here', 'there']

/** Whoever is on it stays there, and may be taken over by others. */
export const partitions = (link: 'redis' | 'postgres') => (stage: Stage) =>
  parted(stage, link, () => {})

/** They are thrown out: the load balancer and they themselves notice, the node does not. */
export function partedFromClients(stage: Stage): Promise<Remarks> {
  const { arena } = stage
  return parted(stage, 'clients', (index) => {
    const there = arena.devices.filter(({ whereabouts }) => whereabouts.node === index)
    arena.faultOf(index)
    for (const device of there) device.cut()
  })
}

function parted(stage: Stage, link: LinkName, meanwhile: (node: number) => void): Promise<Remarks> {
  return troubles(stage, (node, time) => ({
    node: node.index,
    ms: PARTITION_MS,
    begin: () => {
      node.cutOff(link, SILENCES[time % SILENCES.length]!)
      meanwhile(node.index)
    },
    end: () => node.join(link),
  }))
}
