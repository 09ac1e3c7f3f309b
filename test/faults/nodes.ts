// The nodes under test: one server process, or several on one database and one Redis, each with a
// folder and ports of its own, and with a namespace of the network of its own where links are cut.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../../bench/peers/peer.js'
import { freePorts } from '../bin/program.js'
import type { Doors } from './doors.js'
import type { Island, LinkName, Silence } from './island.js'
import { type Laid, layLines, type Lines, type Part } from './lines.js'
import { launchOf } from './products.js'
import { type End, ServerProcess, type Start } from './server-process.js'
import type { ServerName } from './task.js'

const DOUBT_MS = 500
/** So soon it knows that it was taken for dead. */
const NOTICES_MS = 3000

type Parts = 'site' | 'server' | 'island' | 'lines' | 'gates'

export class Node {
  readonly index: number
  readonly site: Site
  readonly server: ServerProcess
  readonly island: Island | undefined
  readonly lines: Lines
  /** Where its clients dial: for TCP, for WebSocket */
  readonly gates: readonly [number, number]
  readonly #doors: Doors
  #doubted: NodeJS.Timeout | undefined

  constructor(doors: Doors, index: number, parts: Pick<Node, Parts>) {
    this.index = index
    this.site = parts.site
    this.server = parts.server
    this.island = parts.island
    this.lines = parts.lines
    this.gates = parts.gates
    this.#doors = doors
  }

  /** As a supervisor of the system does it, where it dies though nobody asked it to. */
  supervise(): void {
    this.server.whenDead = () => {
      this.#doors.shut(this.index)
      this.#doors.ended(this.index)
      this.start().catch(() => undefined)
    }
  }

  async start(how: Start = {}): Promise<void> {
    await this.server.start({ ...(this.island && { wrap: this.island.wrap }), ...how })
    this.#doors.unlock(this.index)
  }

  async kill(strike: () => void = () => {}): Promise<void> {
    this.#doors.shut(this.index)
    await this.server.kill(strike)
    this.#doors.ended(this.index)
  }

  /** Asked to end, it leaves everything in order: to its clients its life goes on. */
  async stop(): Promise<{ end: End; ms: number }> {
    this.#doors.shut(this.index)
    return this.server.stop()
  }

  /** As a machine that hangs; the load balancer sees it. */
  freeze(): void {
    this.#doors.shut(this.index)
    this.#doubt()
    this.server.signal('SIGSTOP')
  }

  thaw(): void {
    this.server.signal('SIGCONT')
    this.#doors.unlock(this.index)
    this.#trustSoon()
  }

  /** From one thing alone, without a word to either side; from clients, and the load balancer sees it. */
  cutOff(link: LinkName, silent: Silence): void {
    if (link === 'clients') this.#doors.shut(this.index)
    else this.#doubt()
    this.island!.cut(link, silent)
  }

  join(link: LinkName): void {
    this.island!.join(link)
    if (link === 'clients') this.#doors.unlock(this.index)
    else this.#trustSoon()
  }

  /** From now on the others may take over what it has, at any time. */
  #doubt(): void {
    this.#doors.ended(this.index)
    this.#doubted = setInterval(() => this.#doors.ended(this.index), DOUBT_MS)
  }

  #trustSoon(): void {
    const doubted = this.#doubted
    setTimeout(() => clearInterval(doubted), NOTICES_MS).unref()
  }
}

export interface Nodes {
  readonly all: readonly [Node, ...Node[]]
  readonly doors: Doors
}

export interface Surroundings {
  readonly server: ServerName
  readonly folder: string
  readonly site: Pick<Site, 'certificate' | 'setting'>
  readonly doors: Doors
  /** The address of Redis, where there are several */
  readonly redis?: string
  /** The lines that a fault concerns */
  readonly relayed: readonly Part[]
  /** Nodes of islands find PostgreSQL over their link. */
  readonly postgresPort?: number
  readonly islands: readonly Island[]
}

export async function layOut(count: number, around: Surroundings): Promise<Nodes> {
  const nodes: Node[] = []
  for (let index = 0; index < count; index++) nodes.push(await layOutOne(index, around))
  if (count > 1) for (const node of nodes) node.supervise()
  return { all: nodes as [Node, ...Node[]], doors: around.doors }
}

async function layOutOne(index: number, around: Surroundings): Promise<Node> {
  const folder = join(around.folder, index === 0 ? 'server' : `server-${index + 1}`)
  mkdirSync(folder)
  const [clear, tls, http] = (await freePorts(3)) as [number, number, number]
  const site = { ...around.site, folder, ports: { clear, tls, http } }
  const island = around.islands[index]
  await island?.lead(clear, http)
  const { lines, ends } = await layLinesOf(around, island, [clear, http])
  const settings = {
    ...(ends.postgres && { database: ends.postgres }),
    ...(ends.redis && { redis: ends.redis }),
    ...(island && { 'listen.address': island.address }),
  }
  const server = new ServerProcess(launchOf(around.server, site, settings), site)
  return new Node(around.doors, index, { site, server, island, lines, gates: ends.clients })
}

async function layLinesOf(
  { relayed, site, redis, postgresPort }: Surroundings,
  island: Island | undefined,
  clients: readonly [number, number],
): Promise<Laid> {
  const postgres = site.setting.database
  if (!island) return layLines(relayed, { clients, postgres, redis })
  if (!postgres || !postgresPort) return layLines([], { clients, postgres, redis: island.redis })
  const url = new URL(postgres)
  url.hostname = await island.leadOut(postgresPort)
  return layLines([], { clients, postgres: url.href, redis: island.redis })
}
