// Operating a cluster: readiness, drift of the configuration, draining.

import type { ServerResponse } from 'node:http'
import { test } from 'tap'
import type { Row } from '../../lib/core/commands.js'
import { Draining } from '../../lib/core/draining.js'
import { controlVerbs } from '../../lib/core/control-verbs.js'
import type { Server } from '../../lib/core/server.js'
import type { HttpRequest } from '../../lib/net/http.js'
import type { ClientStream } from '../../lib/streams/client-stream.js'
import { DOMAIN, type World, world } from '../world/world.js'
import { until } from '../world/until.js'

async function asks(server: Server, path: string): Promise<{ status: number; body: string }> {
  const found = server.routes.find('GET', path)
  if (typeof found !== 'object' || !('route' in found)) throw new Error(`nothing at ${path}`)
  const answer = { status: 0, body: '' }
  const response = {
    writeHead: (status: number) => void (answer.status = status),
    end: (body: string) => void (answer.body = body),
  }
  await found.route.handle({} as HttpRequest, response as unknown as ServerResponse)
  return answer
}

const control = (server: Server, command: string, args = {}): Promise<unknown> =>
  controlVerbs(server, { reload: async () => [] })({ command, args })

const status = async (w: World, node = 0): Promise<Row[]> =>
  (await control(w.servers[node]!, 'cluster status')) as Row[]

test('one node alone is healthy and ready, and has a status', async (t) => {
  const w = await world(t, { people: [] })
  t.match(await asks(w.server, '/healthz'), { status: 200, body: /"ok"/ })
  t.match(await asks(w.server, '/readyz'), { status: 200, body: /"ready"/ })
  t.match(await status(w), [{ node: 'node0', phase: 'running', clock_ms: null, problems: [] }])
})

test('the status shows all nodes, whichever is asked', async (t) => {
  const w = await world(t, { nodes: 2 })
  await w.device('romeo', 'laptop', { node: 1 })
  for (const node of [0, 1])
    t.match(await status(w, node), [
      { node: 'node0', sessions: 2, streams: 2, phase: 'running' },
      { node: 'node1', sessions: 1, streams: 1, phase: 'running' },
    ])
})

test('a node with another configuration says so and is not ready, until all agree', async (t) => {
  const w = await world(t, { nodes: 2, people: [] })
  const [one, other] = w.servers as [Server, Server]
  await until(() => w.servers.every(({ operation }) => operation.phase === 'running'))
  const changed = (server: Server) => ({
    ...server.settings,
    hosts: server.settings.hosts.map((host) => ({ ...host, admins: ['romeo@capulet.example'] })),
  })
  await other.reload(changed(other))
  await until(() => other.operation.drift.length > 0)
  t.same(other.operation.drift, [`hosts.${DOMAIN}.admins`])
  t.match(await asks(other, '/readyz'), { status: 503, body: /the configuration differs/ })
  t.notMatch((await asks(other, '/readyz')).body, /admins/, 'strangers learn no more')
  t.equal((await asks(one, '/readyz')).status, 200)
  t.match(await status(w), [{ problems: [] }, { problems: [/configuration/] }])
  const said = w.log.filter((line) => /configuration differs/.test(line))
  t.equal(said.length, 1)
  t.match(said[0], /admins/)
  t.notMatch(said[0], /romeo/)
  await one.reload(changed(one))
  await until(() => other.operation.drift.length === 0)
  t.equal((await asks(other, '/readyz')).status, 200)
})

test('a node that drains takes nobody, and ends its streams some at a time', async (t) => {
  const w = await world(t, { nodes: 2, people: ['romeo', 'juliet'] })
  for (let device = 0; device < 18; device++) await w.device('romeo', `device${device}`)
  const [server] = w.servers as [Server]
  t.equal(server.streams.size, 20)
  const begun = await control(w.servers[1]!, 'cluster drain', { node: 'node0', spread: 1000 })
  t.same(begun, [{ node: 'node0', ms: 900 }])
  t.match(await asks(server, '/readyz'), { status: 503, body: /draining/ })
  t.equal(server.streams.size, 18)
  w.clock.advance(400)
  t.equal(server.streams.size, 10)
  w.clock.advance(500)
  t.equal(server.streams.size, 0)
  t.ok(w.romeo.streamError?.getChild('system-shutdown'))
  t.match(await status(w), [{ phase: 'drained' }, { phase: 'running' }])
  const late = w.stranger()
  late.open()
  t.ok(late.streamError?.getChild('system-shutdown'))
  await w.device('romeo', 'elsewhere', { node: 1 })
  await control(server, 'cluster drain', { undo: true })
  t.equal((await asks(server, '/readyz')).status, 200)
  await w.device('romeo', 'again')
})

test('LIM-drain: many streams take longer than was said', async (t) => {
  const clock = { now: () => 0, after: () => ({ cancel() {} }) }
  let ended = 0
  const streams = new Set(Array.from({ length: 5000 }, () => ({ close: () => void ended++ })))
  const doors = { pause() {}, async resume() {} }
  const draining = new Draining({ streams: streams as unknown as Set<ClientStream>, clock, doors })
  t.equal(await draining.begin(0), 4900)
  t.equal(ended, 100)
})

test('doors that do not open can be opened later, and are not closed while they open', async (t) => {
  const clock = { now: () => 0, after: () => ({ cancel() {} }) }
  const said: string[] = []
  let opens: (outcome: Promise<void>) => void = () => {}
  const doors = {
    pause: () => void said.push('pause'),
    resume: () => new Promise<void>((resolve) => (opens = resolve)).then(() => said.push('open')),
  } as unknown as { pause(): void; resume(): Promise<void> }
  const draining = new Draining({ streams: new Set(), clock, doors })
  await draining.begin(0)
  const failed = draining.undo()
  await Promise.resolve()
  opens(Promise.reject(new Error('another program listens there')))
  await t.rejects(failed, /listens there/)
  t.equal(draining.phase, 'drained')
  t.same(said, ['pause', 'pause'], 'also those that opened')
  const undone = draining.undo()
  const again = draining.begin(0)
  await new Promise((resolve) => setImmediate(resolve))
  opens(Promise.resolve())
  await Promise.all([undone, again])
  t.same(said.slice(2), ['open', 'pause'])
  t.equal(draining.phase, 'drained')
})

test('who would have nobody to take its clients does not drain', async (t) => {
  const w = await world(t, { nodes: 2, people: [] })
  await until(() => w.servers.every(({ operation }) => operation.phase === 'running'))
  await control(w.servers[0]!, 'cluster drain')
  t.match(await status(w), [{ phase: 'drained' }, { phase: 'running' }])
  await t.rejects(control(w.servers[1]!, 'cluster drain'), /no other node/)
  await t.rejects(control(w.servers[1]!, 'cluster drain', { node: 'node7' }), /no node node7/)
})
