// One round of one server: started for each setting that the works need, with its accounts made
// the first time, then the works one after the other.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from './generator/spawn.js'
import type { Job, Login, Plan } from './job.js'
import { coreTime, usageOf } from './measure.js'
import { DOMAIN, type Peer, type Site } from './peers/peer.js'
import { freePorts, type Running, start } from './peers/running.js'
import { pinned, SERVER_CORE } from './pinning.js'
import type { Column, Run } from './report.js'
import type { Work } from './works.js'

const PREFIX = 'u'
const PASSWORD = 'secret'
const CONCURRENCY = 32

export type Round = {
  peer: Peer
  column: Column
  works: readonly Work[]
  folder: string
  certificate: Site['certificate']
  round: number
}

/** Works that may share one start of the server; those about memory stand alone. */
function groups(works: readonly Work[]): Work[][] {
  const shared = works.filter((work) => !work.fresh)
  return [
    shared.filter((work) => !work.archive),
    shared.filter((work) => work.archive),
    ...works.filter((work) => work.fresh).map((work) => [work]),
  ].filter((group) => group.length > 0)
}

export async function runRound(round: Round, report: (run: Run) => void): Promise<void> {
  const able = round.works.filter((work) => round.peer.able?.(work) ?? true)
  for (const group of groups(able)) {
    try {
      await runGroup(round, group, report)
    } catch (error) {
      for (const work of group) report(broken(round, work, error))
    }
  }
}

async function runGroup(round: Round, group: Work[], report: (run: Run) => void): Promise<void> {
  const archive = group[0]!.archive
  const folder = join(round.folder, 'servers', `${round.peer.name}${archive ? '-archive' : ''}`)
  // An archive that grew in the round before would make this one different.
  if (archive) rmSync(folder, { recursive: true, force: true })
  const fresh = !existsSync(folder)
  mkdirSync(folder, { recursive: true })
  const { peer, certificate, column } = round
  const site = { folder, certificate, ports: await freePorts(), setting: { archive } }
  const users = Math.max(...(archive ? group : round.works).map((work) => work.plan.users))
  if (fresh) peer.createAccounts?.(site, accountNames(users), PASSWORD)
  const server = await start(peer, site)
  column.readyMs.push(server.readyMs)
  try {
    if (fresh && !peer.createAccounts) await register(server, accountNames(users))
    for (const work of group) report(await measured(round, work, server))
  } finally {
    await server.stop()
  }
}

const accountNames = (users: number) => Array.from({ length: users }, (_, i) => `${PREFIX}${i}`)

async function register(server: Running, names: string[]): Promise<void> {
  const { peer, site } = server
  if (peer.addAccounts) return peer.addAccounts(site, names, PASSWORD)
  const outcome = await generate(job(server, { kind: 'register', users: names.length }))
  if (outcome.failed > 0) throw new Error(`${outcome.failed} accounts could not be registered`)
}

function job(server: Running, plan: Plan, work?: Work): Job {
  const { ports } = server.site
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
  return { target, login, plan, server: [server.pid] }
}

async function measured(round: Round, work: Work, server: Running): Promise<Run> {
  const before = { core: coreTime(SERVER_CORE), own: usageOf([server.pid]), at: performance.now() }
  try {
    const outcome = await generate(job(server, work.plan, work))
    const seconds = (performance.now() - before.at) / 1000
    const own = usageOf([server.pid]).cpuSeconds - before.own.cpuSeconds
    const core = coreTime(SERVER_CORE)
    const others = core.busySeconds - before.core.busySeconds - own
    const stolen = core.stealSeconds - before.core.stealSeconds
    const disturbance = pinned ? Math.max(0, (others + stolen) / seconds) : 0
    return { ...named(round, work), disturbance, ...outcome }
  } catch (error) {
    return broken(round, work, error)
  }
}

function named(round: Round, work: Work): Pick<Run, 'server' | 'work' | 'round'> {
  return { server: round.peer.name, work: work.title, round: round.round }
}

function broken(round: Round, work: Work, error: unknown): Run {
  const why = error instanceof Error ? error.message : String(error)
  return { ...named(round, work), failed: 0, disturbance: 0, figures: {}, error: why }
}
