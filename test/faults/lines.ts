// The lines of one node to its clients, to PostgreSQL and to Redis, where a fault concerns them: each over a
// relay of this process.

import { freePorts } from '../bin/program.js'
import { type Place, Relay } from './relay.js'
import type { Kind } from './task.js'

export type Part = 'clients' | 'postgres' | 'redis'

export interface Lines {
  readonly clients: readonly Relay[]
  readonly postgres: readonly Relay[]
  readonly redis: readonly Relay[]
}

const RELAYED: Partial<Record<Kind, readonly Part[]>> = {
  'half-open': ['clients'],
  stall: ['clients'],
  slow: ['clients', 'postgres', 'redis'],
  'commit-unknown': ['postgres'],
}

export const relayed = (what: Kind): readonly Part[] => RELAYED[what] ?? []

export interface Ends {
  /** Where the node listens: for TCP, for WebSocket */
  readonly clients: readonly [number, number]
  readonly postgres: string | undefined
  readonly redis: string | undefined
}

export interface Laid {
  readonly lines: Lines
  /** As the ends, over the lines */
  readonly ends: Ends
}

export async function layLines(parts: readonly Part[], direct: Ends): Promise<Laid> {
  const has = (part: Part): boolean => parts.includes(part)
  const clients = has('clients') ? await Promise.all(direct.clients.map(relayTo)) : []
  const postgres = await over(has('postgres') ? direct.postgres : undefined)
  const redis = await over(has('redis') ? direct.redis : undefined)
  const [tcp, web] = clients
  return {
    lines: {
      clients,
      postgres: postgres ? [postgres.relay] : [],
      redis: redis ? [redis.relay] : [],
    },
    ends: {
      clients: tcp && web ? [tcp.at.port, web.at.port] : direct.clients,
      postgres: postgres?.url ?? direct.postgres,
      redis: redis?.url ?? direct.redis,
    },
  }
}

async function over(address: string | undefined) {
  if (address === undefined) return undefined
  const url = new URL(address)
  const relay = await relayTo(Number(url.port))
  url.port = String(relay.at.port)
  return { relay, url: url.href }
}

async function relayTo(port: number): Promise<Relay> {
  const host = '127.0.0.1'
  const [own] = (await freePorts(1)) as [number]
  const at: Place = { host, port: own }
  return Relay.open(at, { host, port })
}
