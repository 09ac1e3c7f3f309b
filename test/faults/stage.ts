// One server and one crowd of devices, from the empty folder to the archives as they are at the end.
// What is done to the server meanwhile is the business of the fault.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Target } from '../../bench/generator/connection.js'
import { register } from '../../bench/generator/register.js'
import { createCertificate } from '../../bench/peers/certificate.js'
import { DOMAIN, type Site } from '../../bench/peers/peer.js'
import { freePorts } from '../bin/program.js'
import { Postgres } from '../world/postgres.js'
import { Arena } from './arena.js'
import type { History } from './chronicle.js'
import { PASSWORD } from './device.js'
import { Draw } from './draw.js'
import { readArchives } from './final-archives.js'
import { prepareTables, product } from './products.js'
import { ServerProcess, type Start } from './server-process.js'
import type { Task } from './task.js'

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const PRESENT_LIMIT_MS = 30_000
const PEER_SETTLES_MS = 5000
const QUIET_LIMIT_MS = 20_000
/** Everything has to have arrived so long after everybody is back (G3). */
const ARRIVAL_MS = 1500

export class Stage {
  readonly task: Task
  readonly draw: Draw
  readonly site: Site
  readonly server: ServerProcess
  readonly arena: Arena
  readonly version: string
  readonly postgres: Postgres | undefined
  readonly #websocketPath: string

  static async build(task: Task): Promise<Stage> {
    const folder = mkdtempSync(join(task.folder, 'tercet-faults-'))
    if (!task.keep) folders.add(folder)
    try {
      chmodSync(folder, 0o755)
      const own = join(folder, 'server')
      mkdirSync(own)
      const certificate = createCertificate(folder)
      const [clear, tls, http, port] = (await freePorts(4)) as [number, number, number, number]
      const postgres = task.store === 'postgres' ? await startPostgres(folder, port) : undefined
      const database = postgres && overLoopback(await postgres.database(), port)
      const setting = { archive: true, store: task.store, ...(database ? { database } : {}) }
      const site = { folder: own, ports: { clear, tls, http }, certificate, setting }
      await prepareTables(task.server, site)
      return new Stage(task, site, postgres)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(task: Task, site: Site, postgres: Postgres | undefined) {
    this.task = task
    this.site = site
    this.postgres = postgres
    this.draw = new Draw(task.seed)
    const { launch, version, websocketPath } = product(task.server, site)
    this.version = version
    this.#websocketPath = websocketPath
    this.server = new ServerProcess(launch, this.site)
    const { users, window, carbons } = task
    const target = (transport: 'tcp' | 'websocket') => this.target(transport)
    this.arena = new Arena(this.draw, { users, window, carbons, target })
  }

  target(transport: 'tcp' | 'websocket'): Target {
    const { clear, http } = this.site.ports
    const port = transport === 'tcp' ? clear : http
    const path = this.#websocketPath
    return { address: '127.0.0.1', port, domain: DOMAIN, transport, path }
  }

  /** The server runs, all accounts exist, all devices are present. */
  async open(how: Start = {}): Promise<void> {
    await this.server.start(how)
    const { users } = this.task
    const mechanism = 'SCRAM-SHA-1' as const
    const login = { prefix: 'u', password: PASSWORD, mechanism, modern: false, concurrency: 4 }
    const target = this.target('tcp')
    const plan = { kind: 'register' as const, users }
    await register({ target, login, plan, server: [] }, users)
    // What a peer keeps of its accounts in memory for a while is not what is tested.
    if (this.task.server !== 'tercet') await pause(PEER_SETTLES_MS)
    this.arena.open()
    await this.everybody()
  }

  async everybody(): Promise<void> {
    const { devices } = this.arena
    const present = () => this.arena.present === devices.length
    // Whoever is told no is told no again.
    const hopeless = () => devices.some(({ lastFailure }) => /could not enter/.test(lastFailure))
    if ((await until(() => present() || hopeless(), PRESENT_LIMIT_MS)) && present()) return
    const missing = devices.find(({ ready, lastFailure }) => !ready && lastFailure)
    throw new Error(`${missing?.name} is not let in: ${missing?.lastFailure}`)
  }

  /** No new messages; what is under way comes to its end. */
  async quiet(): Promise<void> {
    const { arena } = this
    arena.allow(0)
    await until(() => arena.settled, QUIET_LIMIT_MS)
    await pause(ARRIVAL_MS)
    await until(() => arena.settled, QUIET_LIMIT_MS)
  }

  async history(): Promise<History> {
    const { arena } = this
    const devices = arena.devices.map(({ name, owner, settled }) => ({ name, owner, settled }))
    const owners = [...new Set(devices.map(({ owner }) => owner))]
    arena.close()
    const archives = await readArchives(this.target('tcp'), owners)
    return { events: arena.events, archives, devices }
  }

  async close(): Promise<void> {
    this.arena.close()
    await this.server.kill()
    await this.postgres?.stop()
    const folder = join(this.site.folder, '..')
    if (folders.delete(folder)) rmSync(folder, { recursive: true, force: true })
  }
}

/** As an operator has it: on disk before it answers; over TCP, for those who know nothing else. */
function startPostgres(parent: string, port: number): Promise<Postgres> {
  const settings = { listen_addresses: '127.0.0.1', fsync: 'on', full_page_writes: 'on' }
  return Postgres.start({ parent, settings: { ...settings, port: String(port) } })
}

function overLoopback(address: string, port: number): string {
  const { username, pathname } = new URL(address)
  return `postgres://${username}@127.0.0.1:${port}${pathname}`
}

/** Whether it came true in time */
export async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const limit = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > limit) return false
    await pause(10)
  }
  return true
}
