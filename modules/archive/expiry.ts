// How long messages stay. The log is one for all hosts of a server, so each message stays as long as the
// most generous of them wants.

import type { Host } from '../../lib/core/host.js'

/** Whatever gives the time of one host, by the module's name. */
export function longestKept(host: Host, name: string): number {
  const times = [...host.server.hosts.values()].flatMap(({ modules }) => {
    const provided = modules.get(name)?.offers.provides as { kept?: number } | undefined
    return provided?.kept ?? []
  })
  return Math.max(...times)
}

/** In steps that hold nobody up for long. */
export async function expireOld(host: Host, kept: number): Promise<void> {
  if (kept === Number.POSITIVE_INFINITY) return
  const before = host.clock.now() - kept
  while (await host.messages.expire(before));
}
