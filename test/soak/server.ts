// The server of the soak, in a process of its own: told by its parent to measure itself, it collects
// garbage until there is no more and says what is left. The clock counts its timers, because timers
// that keep no process alive are in no list of Node's.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server } from '../../lib/core/server.js'
import type { HostSettings, ServerSettings } from '../../lib/core/settings.js'
import { sharedWatch } from '../../lib/net/watch.js'
import { type Clock, systemClock, type Timer } from '../../lib/ops/clock.js'
import { createLog } from '../../lib/ops/log.js'
import { DOMAIN } from './states.js'
import type { Ports } from './visit.js'

export interface Measure {
  readonly heap: number
  /** Buffers and what else is outside of the heap but belongs to it */
  readonly external: number
  readonly rss: number
  /** Handles and requests of Node, by kind */
  readonly handles: Readonly<Record<string, number>>
  readonly timers: number
  readonly streams: number
  readonly sessions: number
  /** Connections that are watched for a deadline */
  readonly watched: number
  readonly bugs: number
}

export type Said = { ports: Ports } | { measure: Measure }

class CountingClock implements Clock {
  readonly pending = new Set<object>()

  now(): number {
    return systemClock.now()
  }

  after(ms: number, call: () => void): Timer {
    const key = {}
    this.pending.add(key)
    const timer = systemClock.after(ms, () => {
      this.pending.delete(key)
      call()
    })
    return {
      cancel: () => {
        this.pending.delete(key)
        timer.cancel()
      },
    }
  }
}

const clock = new CountingClock()
let bugs = 0

function settings(data: string): ServerSettings {
  const here = [{ address: '127.0.0.1', port: 0 }]
  const host: HostSettings = {
    domain: DOMAIN,
    encryption: 'optional',
    registration: 'closed',
    passwordRounds: 1,
    scramSha1: false,
    admins: [],
    tls: undefined,
    modules: {},
  }
  const listen = { c2s: here, c2s_tls: here, http: here, https: here, proxies: [] }
  const kept = { data, database: 'sqlite:memory', durability: 'crash' } as const
  return { hosts: [host], limits: 'off', listen, ...kept }
}

async function start(data: string): Promise<Server> {
  const write = (line: string): void => {
    if (!/ a bug in /.test(line)) return
    bugs++
    process.stderr.write(`${line}\n`)
  }
  const log = createLog({ level: 'error', format: 'text', write, now: () => Date.now() })
  const server = await Server.start({ settings: settings(data), log, clock })
  await server.run(DOMAIN, 'user add', { jid: `romeo@${DOMAIN}`, password: 'secret of romeo' })
  return server
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Who has gone takes a moment to be noticed, at most as long as a closing peer may take. */
async function emptied(server: Server): Promise<void> {
  const limit = Date.now() + 30_000
  while ((server.streams.size > 0 || sharedWatch.size > 0) && Date.now() < limit) await later(50)
  while (sockets() > 4 && Date.now() < limit) await later(50)
  await server.settled()
}

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS/.test(name)).length

async function collected(): Promise<void> {
  let before = Number.POSITIVE_INFINITY
  for (let round = 0; round < 20; round++) {
    global.gc?.()
    await later(20)
    const now = process.memoryUsage().heapUsed
    if (before - now < 4096) return
    before = now
  }
}

async function measure(server: Server): Promise<Measure> {
  await emptied(server)
  await collected()
  const handles: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
  // Ours: the pauses between two collections.
  delete handles.Timeout
  const { heapUsed: heap, external, rss } = process.memoryUsage()
  return {
    heap,
    external,
    rss,
    handles,
    timers: clock.pending.size,
    streams: server.streams.size,
    sessions: server.hosts.get(DOMAIN)!.sessions.size,
    watched: sharedWatch.size,
    bugs,
  }
}

const data = mkdtempSync(join(tmpdir(), 'tercet-soak-'))
const server = await start(data)
const { c2s, c2s_tls, http, https } = server.ports
const say = (said: Said): void => void process.send?.(said)

process.on('message', async () => say({ measure: await measure(server) }))
process.on('disconnect', async () => {
  await server.stop()
  rmSync(data, { recursive: true, force: true })
  process.exit(0)
})
say({ ports: { c2s: c2s[0]!, c2sTls: c2s_tls[0]!, http: http[0]!, https: https[0]! } })
