// A plan turned into what the generator is told: where the server is, who logs in, what to measure.
import type { Hosted } from './hosting.js'
import type { Job, Login, Plan } from './job.js'
import { DOMAIN } from './peers/peer.js'
import type { Work } from './work.js'

export const PREFIX = 'u'
export const PASSWORD = 'secret'
const CONCURRENCY = 32

export function jobFor({ server, pids }: Hosted, plan: Plan, work?: Work): Job {
  const { ports, setting } = server.site
  const transport = work?.transport ?? 'tcp'
  const port = { tcp: ports.clear, starttls: ports.clear, tls: ports.tls, websocket: ports.http }
  const path = server.peer.websocketPath
  const login: Login = {
    prefix: PREFIX,
    password: PASSWORD,
    mechanism: work?.mechanism ?? server.peer.mechanism ?? 'SCRAM-SHA-1',
    modern: work?.modern ?? false,
    concurrency: CONCURRENCY,
  }
  const target = { address: '127.0.0.1', port: port[transport], domain: DOMAIN, transport, path }
  const memory = setting.memory
  const told = plan.kind === 'readers' && memory !== undefined ? { ...plan, memory } : plan
  return { target, login, plan: told, server: pids }
}
