// A server for a group of works: in its folder, with its database, its accounts and its archive,
// all made the first time; started, used, stopped. For counting what it makes the disk write, the
// same once more under strace, everything new and gone afterwards.
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Databases } from './databases.js'
import { generate } from './generator/spawn.js'
import type { Group } from './groups.js'
import { jobFor, PASSWORD, PREFIX } from './jobs.js'
import type { Peer, Ports, Site } from './peers/peer.js'
import { freePorts } from './peers/ports.js'
import { type Cluster, startCluster } from './peers/postgres.js'
import type { RedisServer } from './peers/redis.js'
import { type Running, start } from './peers/running.js'
import { redisFor, startOthers, stopAll } from './several.js'
import { tracing } from './syncs.js'

export type Stage = {
  peer: Peer
  /** The folder of everything. */
  folder: string
  certificate: Site['certificate']
  databases: Databases
}

export type Hosted = {
  server: Running
  /** Processes whose time counts: the server, and the database where it has one. */
  pids: number[]
  /** By program, where they are several */
  parts?: Record<string, number[]>
  /** Of all nodes, where they are several */
  ports?: Ports[]
  redis?: string
}

type Place = {
  stage: Stage
  group: Group
  name: string
  cluster?: Cluster | undefined
  database?: string | undefined
  redis?: RedisServer | undefined
  lasting: boolean
  /** Goes before the server's command. */
  launch?: string[]
}

type Use = (hosted: Hosted) => Promise<void>

export async function host(stage: Stage, group: Group, use: Use): Promise<void> {
  const name = `${stage.peer.name}-${group.name}`
  const { lasting } = group
  const cluster = group.store === 'postgres' ? await stage.databases.cluster() : undefined
  const database = cluster && (await stage.databases.addressFor(name, lasting))
  const redis = await redisFor(group, stage.folder)
  const place = { stage, group, name, cluster, database, redis, lasting }
  await serve(place, use).finally(() => redis?.stop())
}

/** `use` gets the files of the traces as well. */
export async function hostTraced(
  stage: Stage,
  group: Group,
  use: (hosted: Hosted, traces: string[]) => Promise<void>,
): Promise<void> {
  const name = `${stage.peer.name}-${group.name}-traced`
  const traces = ['server', 'postgres'].map((part) => traceFile(stage.folder, part))
  const postgres = group.store === 'postgres'
  const cluster = postgres ? await startCluster(stage.folder, tracing(traces[1]!)) : undefined
  const database = await cluster?.database()
  const launch = tracing(traces[0]!)
  const place = { stage, group, name, cluster, database, lasting: false, launch }
  await serve(place, (hosted) => use(hosted, traces)).finally(() => cluster?.stop())
  rmSync(join(stage.folder, 'servers', name), { recursive: true, force: true })
}

/** Servers run as whoever they want to be, and so does who watches them. */
function traceFile(folder: string, part: string): string {
  const file = join(folder, `${part}.trace`)
  writeFileSync(file, '')
  chmodSync(file, 0o666)
  return file
}

async function serve(place: Place, use: Use): Promise<void> {
  const { stage, group, cluster, launch } = place
  const folder = join(stage.folder, 'servers', place.name)
  if (!place.lasting) rmSync(folder, { recursive: true, force: true })
  const fresh = !existsSync(folder)
  mkdirSync(folder, { recursive: true })
  const site = await siteIn(folder, place)
  if (fresh && group.filled > 0) await fill(stage.peer, site, group)
  const server = await (fresh && group.filled === 0
    ? startFresh(stage.peer, site, { ...group, launch })
    : start(stage.peer, site, launch))
  const servers = [server]
  try {
    servers.push(...(await startOthers(server, group)))
    await cluster?.settle()
    await use(hosted(place, servers))
  } finally {
    await stopAll(servers)
  }
}

function hosted({ cluster, redis }: Place, servers: readonly Running[]): Hosted {
  const parts = {
    [servers[0]!.peer.title]: servers.map(({ pid }) => pid),
    ...(cluster && { PostgreSQL: [cluster.pid] }),
    ...(redis && { Redis: [redis.pid] }),
  }
  const pids = Object.values(parts).flat()
  const several = servers.length > 1 && { ports: servers.map(({ site }) => site.ports) }
  return { server: servers[0]!, pids, parts, ...several, ...(redis && { redis: redis.address }) }
}

async function siteIn(folder: string, { stage, group, database, redis }: Place): Promise<Site> {
  const setting = {
    archive: group.archive,
    store: group.store,
    unsearched: group.unsearched,
    rooms: group.rooms,
    ...(database !== undefined && { database }),
    ...(redis && { redis: redis.address, workers: group.workers }),
    ...(group.told && stage.peer.tellsMemory && { memory: join(folder, 'memory.json') }),
  }
  return { folder, certificate: stage.certificate, ports: await freePorts(), setting }
}

/** The server runs once, so that its tables exist; it is not there while they are filled. */
async function fill(peer: Peer, site: Site, { accounts, filled, contacts }: Group): Promise<void> {
  if (!peer.fill) throw new Error(`${peer.title} has no archive that could be filled`)
  try {
    await (await startFresh(peer, site, { accounts, contacts })).stop()
    await peer.fill(site, filled)
  } catch (error) {
    rmSync(site.folder, { recursive: true, force: true })
    throw error
  }
}

type Fresh = { accounts: number; contacts: number; launch?: string[] | undefined }

async function startFresh(peer: Peer, site: Site, fresh: Fresh): Promise<Running> {
  const { accounts, contacts, launch } = fresh
  const names = Array.from({ length: accounts }, (_, i) => `${PREFIX}${i}`)
  await peer.createTables?.(site)
  peer.createAccounts?.(site, names, PASSWORD)
  const server = await start(peer, site, launch)
  try {
    if (!peer.createAccounts) await register(server, names)
    if (contacts > 0) await peer.addContacts?.(site, names, contacts)
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

async function register(server: Running, names: string[]): Promise<void> {
  const { peer, site } = server
  if (peer.addAccounts) return peer.addAccounts(site, names, PASSWORD)
  const plan = { kind: 'register', users: names.length } as const
  const outcome = await generate(jobFor({ server, pids: [server.pid] }, plan))
  if (outcome.failed > 0) throw new Error(`${outcome.failed} accounts could not be registered`)
}
