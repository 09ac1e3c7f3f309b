// One server, of one node or several, and one crowd of devices, from the empty folder to the archives as they are at the end.
// What is done to the server meanwhile is the business of the fault.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Target } from '../../bench/generator/connection.js'
import { register } from '../../bench/generator/register.js'
import { createCertificate } from '../../bench/peers/certificate.js'
import { DOMAIN, type Site } from '../../bench/peers/peer.js'
import type { Postgres } from '../world/postgres.js'
import { Arena, type Cast } from './arena.js'
import type { History } from './chronicle.js'
import { PASSWORD } from './device.js'
import { type Door, Doors } from './doors.js'
import { Draw } from './draw.js'
import { readArchives } from './final-archives.js'
import { type Grounds, leaveGrounds, prepareGrounds } from './grounds.js'
import { relayed } from './lines.js'
import { layOut, type Node, type Nodes } from './nodes.js'
import { prepareTables, product } from './products.js'
import type { ServerProcess, Start } from './server-process.js'
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
  readonly nodes: Nodes
  readonly arena: Arena
  readonly version: string
  readonly grounds: Grounds
  readonly folder: string
  readonly #websocketPath: string

  static async build(task: Task): Promise<Stage> {
    const folder = mkdtempSync(join(task.folder, 'tercet-faults-'))
    if (!task.keep) folders.add(folder)
    try {
      chmodSync(folder, 0o755)
      const grounds = await prepareGrounds(task, folder)
      const draw = new Draw(task.seed)
      const nodes = await prepareNodes(task, { folder, grounds, draw })
      await prepareTables(task.server, nodes.all[0].site)
      return new Stage({ task, draw, nodes, grounds, folder })
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(given: Pick<Stage, 'task' | 'draw' | 'nodes' | 'grounds' | 'folder'>) {
    const { task, draw, nodes } = given
    this.task = task
    this.draw = draw
    this.nodes = nodes
    this.grounds = given.grounds
    this.folder = given.folder
    const { version, websocketPath } = product(task.server)
    this.version = version
    this.#websocketPath = websocketPath
    const { users, window, carbons } = task
    const target: Cast['target'] = (door, transport) => this.target(transport, door)
    this.arena = new Arena(draw, { users, window, carbons, target, doors: nodes.doors })
  }

  /** The one that runs with one node are about */
  get node(): Node {
    return this.nodes.all[0]
  }

  get site(): Site {
    return this.node.site
  }

  get server(): ServerProcess {
    return this.node.server
  }

  get postgres(): Postgres | undefined {
    return this.grounds.postgres
  }

  target(transport: 'tcp' | 'websocket', { node }: Pick<Door, 'node'> = { node: 0 }): Target {
    const [tcp, web] = this.nodes.all[node]!.gates
    const port = transport === 'tcp' ? tcp : web
    const path = this.#websocketPath
    return { address: '127.0.0.1', port, domain: DOMAIN, transport, path }
  }

  /** The nodes run, all accounts exist, all devices are present. */
  async open(how: Start = {}): Promise<void> {
    const [first, ...others] = this.nodes.all
    // It makes the tables.
    await first.start(how)
    await Promise.all(others.map((node) => node.start(how)))
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
    // Whoever is up has them all.
    const archives = await readArchives(this.target('tcp', this.nodes.doors.choose()), owners)
    return { events: arena.events, archives, devices }
  }

  async close(): Promise<void> {
    this.arena.close()
    await Promise.all(this.nodes.all.map(({ server }) => server.kill()))
    await leaveGrounds(this.grounds)
    const { folder } = this
    if (folders.delete(folder)) rmSync(folder, { recursive: true, force: true })
  }
}

function prepareNodes(
  task: Task,
  { folder, grounds, draw }: Pick<Stage, 'folder' | 'grounds' | 'draw'>,
): Promise<Nodes> {
  const { database, redisAddress, islands } = grounds
  const rooms = task.rooms !== undefined
  const setting = { archive: true, rooms, store: task.store, ...(database && { database }) }
  return layOut(task.nodes, {
    server: task.server,
    folder,
    site: { certificate: createCertificate(folder), setting },
    doors: new Doors(draw, task.nodes),
    ...(redisAddress && { redis: redisAddress }),
    ...(task.what === 'partition-postgres' && { postgresPort: Number(new URL(database!).port) }),
    relayed: relayed(task.what),
    islands,
  })
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
