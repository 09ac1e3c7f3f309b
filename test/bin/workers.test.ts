// Whoever watches over workers, without processes: when they begin, begin again, are asked and end.

import { test } from 'tap'
import type { ServerSettings } from '../../lib/core/settings.js'
import { silentLog } from '../../lib/ops/log.js'
import { ConfigError } from '../../lib/xmpp/errors.js'
import { type WorkerEvents, WorkerFailed, Workers } from '../../bin/workers.js'
import type { ToWorker } from '../../bin/worker-messages.js'
import { ManualClock } from '../world/clock.js'

const settings = (workers: number) =>
  ({ workers, hosts: [], data: '' }) as unknown as ServerSettings

/** A process that is none: the test says what it does. */
class Puppet {
  readonly pid = 1
  readonly told: ToWorker[] = []
  readonly events: WorkerEvents
  killed = false

  constructor(events: WorkerEvents) {
    this.events = events
  }

  send(message: ToWorker): void {
    this.told.push(message)
  }

  kill(): void {
    this.killed = true
  }

  isReady(): void {
    this.events.message({ kind: 'up' })
    this.events.message({ kind: 'ready' })
  }

  ends(code: number | null = null): void {
    this.events.ended(code, code === null ? 'SIGKILL' : null)
  }

  /** Answers the last question. */
  answers(
    answer: { result: unknown } | { error: { condition: string; text: string; faults?: [] } },
  ) {
    const last = this.told.at(-1) as { number: number }
    this.events.message({ kind: 'answer', number: last.number, answer })
  }

  get node(): string | undefined {
    return this.told.flatMap((message) => (message.kind === 'begin' ? [message.node] : []))[0]
  }
}

function workers(count: number) {
  const clock = new ManualClock()
  const puppets: Puppet[] = []
  const launch = (events: WorkerEvents): Puppet => {
    const puppet = new Puppet(events)
    puppets.push(puppet)
    return puppet
  }
  const options = { settings: settings(count), node: 'verona', file: 'tercet.yaml', clock, launch }
  return { all: new Workers({ ...options, log: silentLog }), puppets, clock }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const refusal = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (error: unknown) => error,
  )

async function running(count: number) {
  const made = workers(count)
  const begun = made.all.begin()
  made.puppets[0]!.isReady()
  await turn()
  for (const puppet of made.puppets.slice(1)) puppet.isReady()
  await begun
  return made
}

test('the first worker begins alone and tells where the server is; then the others begin', async (t) => {
  const { all, puppets } = workers(3)
  const begun = all.begin()
  await turn()
  t.equal(puppets.length, 1)
  puppets[0]!.events.message({ kind: 'up' })
  t.match(puppets[0]!.told, [{ kind: 'begin', node: 'verona-1', tell: { file: 'tercet.yaml' } }])
  puppets[0]!.events.message({ kind: 'ready' })
  await turn()
  t.equal(puppets.length, 3)
  for (const puppet of puppets.slice(1)) puppet.isReady()
  await begun
  t.same(
    puppets.map(({ node }) => node),
    ['verona-1', 'verona-2', 'verona-3'],
  )
  t.match(puppets[1]!.told, [{ tell: undefined }])
})

test('what keeps a worker from beginning keeps all, with its exit code', async (t) => {
  const { all, puppets } = workers(2)
  const begun = all.begin()
  puppets[0]!.ends(4)
  await t.rejects(begun, new WorkerFailed(4))
  t.equal(puppets.length, 1)
  await all.stop()
})

test('a worker that ends is started again under its name, later each time where it ends soon', async (t) => {
  const { puppets, clock } = await running(2)
  clock.advance(60_000)
  puppets[1]!.ends()
  clock.advance(0)
  t.equal(puppets.length, 3, 'at once, after a minute')
  puppets[2]!.isReady()
  t.equal(puppets[2]!.node, 'verona-2')
  puppets[2]!.ends()
  clock.advance(0)
  t.equal(puppets.length, 4, 'and once more')
  for (const pause of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    const before = puppets.length
    puppets.at(-1)!.ends()
    clock.advance(pause - 1)
    t.equal(puppets.length, before, `not before ${pause} ms`)
    clock.advance(1)
    t.equal(puppets.length, before + 1)
  }
  puppets.at(-1)!.isReady()
  clock.advance(60_000)
  puppets.at(-1)!.ends()
  const before = puppets.length
  clock.advance(0)
  t.equal(puppets.length, before + 1, 'at once again, after a minute')
})

test('a command goes to a worker that runs', async (t) => {
  const { all, puppets, clock } = await running(2)
  const asked = all.ask({ command: 'user list', args: {} })
  t.match(puppets[0]!.told.at(-1), { kind: 'ask', request: { command: 'user list' } })
  puppets[0]!.answers({ result: 'romeo' })
  t.equal(await asked, 'romeo')

  const lost = all.ask({ command: 'user list', args: {} })
  puppets[0]!.ends()
  t.match(await refusal(lost), { condition: 'recipient-unavailable' })
  const again = all.ask({ command: 'user list', args: {} })
  puppets[1]!.answers({ error: { condition: 'item-not-found', text: 'nobody' } })
  t.match(await refusal(again), { condition: 'item-not-found', text: 'nobody' })
  puppets[1]!.ends()
  await t.rejects(all.ask({ command: 'user list', args: {} }), { message: /is starting/ })
  clock.advance(0)
})

test('all workers reload, and whoever begins later has what was reloaded', async (t) => {
  const { all, puppets, clock } = await running(2)
  const changed = { ...settings(5), hosts: [{ domain: 'a.example' }] } as unknown as ServerSettings
  const reloaded = all.reload(changed)
  for (const puppet of puppets) puppet.answers({ result: ['a.example: added'] })
  t.same(await reloaded, ['a.example: added'])
  puppets[1]!.ends()
  clock.advance(0)
  puppets[2]!.isReady()
  t.match(puppets[2]!.told[0], {
    settings: { hosts: [{ domain: 'a.example' }], workers: 2 },
  })
  const refused = all.reload(changed)
  puppets[0]!.answers({ result: [] })
  puppets[2]!.answers({ error: { condition: 'configuration', text: 'no', faults: [] } })
  await t.rejects(refused, ConfigError)
})

test('a worker that was starting while the others reloaded reloads when it is ready', async (t) => {
  const { all, puppets, clock } = await running(2)
  clock.advance(60_000)
  puppets[1]!.ends()
  clock.advance(0)
  puppets[2]!.events.message({ kind: 'up' })
  const changed = { ...settings(2), hosts: [{ domain: 'a.example' }] } as unknown as ServerSettings
  const reloaded = all.reload(changed)
  puppets[0]!.answers({ result: [] })
  await reloaded
  t.equal(puppets[2]!.told.at(-1)!.kind, 'begin')
  puppets[2]!.events.message({ kind: 'ready' })
  t.match(puppets[2]!.told.at(-1), {
    kind: 'reload',
    settings: { hosts: [{ domain: 'a.example' }] },
  })
  puppets[2]!.answers({ result: [] })
  puppets[0]!.ends()
  clock.advance(0)
  puppets[3]!.isReady()
  t.equal(puppets[3]!.told.at(-1)!.kind, 'begin', 'it began with them')
})

test('a worker that does not answer keeps no reload waiting for longer than half a minute', async (t) => {
  const { all, puppets, clock } = await running(2)
  const reloaded = all.reload(settings(2))
  puppets[0]!.answers({ result: ['a.example: added'] })
  clock.advance(30_000)
  t.same(await reloaded, ['a.example: added'])
  const again = all.reload(settings(2))
  puppets[1]!.events.message({ kind: 'answer', number: 2, answer: { result: ['too late'] } })
  for (const puppet of puppets) puppet.answers({ result: ['a.example: removed'] })
  t.same(await again, ['a.example: removed'])
})

test('the status counts the sessions of all', async (t) => {
  const { all, puppets } = await running(2)
  const asked = all.ask({ command: 'server status', args: {} })
  const of = (sessions: number) => ({
    result: { version: '1', pid: 7, ports: {}, hosts: [{ domain: 'a.example', sessions }] },
  })
  puppets[0]!.answers(of(2))
  puppets[1]!.answers(of(3))
  t.match(await asked, { pid: process.pid, hosts: [{ domain: 'a.example', sessions: 5 }] })
})

test('all are told to stop; one that is on its way is told as soon as it listens', async (t) => {
  const { all, puppets, clock } = await running(2)
  clock.advance(60_000)
  puppets[1]!.ends()
  clock.advance(0)
  let stopped = false
  const stopping = all.stop().then(() => {
    stopped = true
  })
  t.same(puppets[0]!.told.at(-1), { kind: 'stop' })
  puppets[0]!.ends(0)
  await turn()
  t.notOk(stopped, 'one is left')
  puppets[2]!.events.message({ kind: 'up' })
  t.same(puppets[2]!.told.at(-1), { kind: 'stop' })
  puppets[2]!.ends(0)
  await stopping
  clock.advance(120_000)
  t.equal(puppets.length, 3, 'none begins any more')
})

test('a worker that does not end as it should is told of when all have ended', async (t) => {
  const { all, puppets } = await running(2)
  const stopping = all.stop()
  puppets[0]!.ends(1)
  puppets[1]!.ends(0)
  await t.rejects(stopping, /before it had finished/)
})

test('who does not want to wait has all killed', async (t) => {
  const { all, puppets } = await running(2)
  all.kill()
  t.same(
    puppets.map(({ killed }) => killed),
    [true, true],
  )
})
