// Servers without hosts that own things together.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Cluster } from '../../lib/cluster/cluster.js'
import { LEASE } from '../../lib/cluster/membership.js'
import { Server } from '../../lib/core/server.js'
import type { ServerSettings } from '../../lib/core/settings.js'
import { silentLog } from '../../lib/ops/log.js'
import type { OwningNodes } from '../contracts/owners.js'
import { ManualClock } from '../world/clock.js'

/** Milliseconds */
const TICK = 20

export function nodesOf(t: Test, cluster: Cluster, database: string): OwningNodes {
  const data = mkdtempSync(join(tmpdir(), 'tercet-owners-'))
  const running = new Set<Server>()
  // Other processes take their time: it passes here as well.
  const clock = new ManualClock()
  const ticking = setInterval(() => clock.advance(TICK), TICK)
  t.teardown(async () => {
    for (const server of running) await server.stop()
    clearInterval(ticking)
    rmSync(data, { recursive: true, force: true })
  })
  const settings: ServerSettings = {
    hosts: [],
    data,
    database,
    durability: 'crash',
    limits: 'off',
    listen: { c2s: [], c2s_tls: [], http: [], https: [], proxies: [] },
  }
  let started = 0
  return {
    async start() {
      const node = `node${started++}`
      const server = await Server.start({
        ...{ settings, log: silentLog, clock, modules: [], node, cluster },
      })
      running.add(server)
      // Before that it is not sure who else is there.
      clock.advance(LEASE)
      return server
    },
    async kill(server) {
      running.delete(server)
      server.schedule.close()
      Object.assign(server.journal, { commit: () => new Promise(() => undefined) })
      await server.journal.idle()
      await server.bus.close(true)
      await server.database.close()
    },
    async met(servers) {
      const alive = servers.filter((server) => running.has(server))
      for (const { members } of alive) await members.say()
      for (const { members } of alive)
        if (members.all().length < alive.length) throw new Error('they have not met')
    },
  }
}
