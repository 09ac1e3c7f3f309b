// A plan turned into what the generator is told: where the server is, who logs in, what to measure.
import type { Hosted } from './hosting.js'
import type { Transport } from './generator/connection.js'
import type { Job, Login, Plan } from './job.js'
import { DOMAIN, type Ports } from './peers/peer.js'
import type { Work } from './work.js'

export const PREFIX = 'u'
export const PASSWORD = 'secret'
const CONCURRENCY = 32

export function jobFor(hosted: Hosted, plan: Plan, work?: Work): Job {
  const { server, pids, parts, ports: all, redis } = hosted

  const { ports, setting } = server.site
  const transport = work?.transport ?? 'tcp'
  const doors = [ports, ...(all ?? [])].map((each) => portOf(each, transport))
  const [port, ...several] = doors as [number, ...number[]]
  const path = server.peer.websocketPath
  const login: Login = {
    prefix: PREFIX,
    password: PASSWORD,
    mechanism: work?.mechanism ?? server.peer.mechanism ?? 'SCRAM-SHA-1',
    modern: work?.modern ?? false,
    quick: work?.quick ?? false,
    concurrency: CONCURRENCY,
  }
  const target = {
    ...{ address: '127.0.0.1', port, domain: DOMAIN, transport, path },
    ...(several.length > 0 && { ports: several, apart: work?.apart ?? false }),
  }
  const memory = setting.memory
  const told = plan.kind === 'readers' && memory !== undefined ? { ...plan, memory } : plan
  const room = server.peer.room?.(setting)
  const more = {
    ...(parts && { parts }),
    ...(redis !== undefined && { redis }),
    ...(room && { room }),
  }
  return { target, login, plan: told, server: pids, ...more }
}

function portOf({ clear, tls, http }: Ports, transport: Transport): number {
  return { tcp: clear, starttls: clear, tls, websocket: http }[transport]
}
