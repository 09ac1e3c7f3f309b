// The world that tests live in: a server (or two) without a socket, a database in memory, a clock
// that stands still, and people who are logged in. Handlers inside a phase run in an order that the
// seed decides: it is printed, and TERCET_SEED repeats a run.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Cluster } from '../../lib/cluster/cluster.js'
import { MemoryCluster } from '../../lib/cluster/memory.js'
import { findModules } from '../../lib/core/loader.js'
import { defineModule, type Module } from '../../lib/core/module.js'
import { Server } from '../../lib/core/server.js'
import type { HostSettings, ServerSettings } from '../../lib/core/settings.js'
import { createLog, type Log } from '../../lib/ops/log.js'
import { xml } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import accounts from '../../modules/accounts/accounts.js'
import { Client, type ClientOptions } from './client.js'
import { ManualClock } from './clock.js'
import type { MemoryTransport } from './wire.js'

export interface WorldOptions {
  /** By name, what they require included; 'all' for every built-in module. */
  modules?: readonly (string | Module)[] | 'all'
  /** Options of modules, as an operator would write them */
  options?: Record<string, Record<string, unknown>>
  /** Further hosts beside capulet.example */
  hosts?: readonly string[]
  host?: Partial<HostSettings>
  people?: readonly string[]
  nodes?: 1 | 2
  /** People and devices connect to one node after the other; else to the first unless they say where. */
  spread?: boolean
  /** How nodes find each other; in memory where nothing is said */
  cluster?: Cluster & { settled?(): Promise<void> }
  /** 'default' where a test is about pace and throttles */
  limits?: 'default' | 'off'
  /** Where sessions are bound already: default true */
  loggedIn?: boolean
  /** Bugs are expected: default is that a bug fails the test. */
  mayFail?: boolean
  database?: string
}

export const DOMAIN = 'capulet.example'

/** In the world the password is not asked: authentication has tests of its own. */
const worldLogin = defineModule({
  name: 'world-login',
  summary: 'Lets the people of a test in',
  setup: () => ({
    streamFeatures: [
      {
        name: 'world-login',
        accepts: ['{urn:tercet:world}login'],
        advertise: (stream) => (stream.account ? undefined : xml('login', 'urn:tercet:world')),
        negotiate: (element, stream) => stream.authenticated(Jid.parse(element.text()), 'features'),
      },
    ],
  }),
})

export interface World {
  readonly server: Server
  readonly servers: readonly Server[]
  readonly clock: ManualClock
  /** Every line of the log */
  readonly log: string[]
  readonly romeo: Client
  readonly juliet: Client
  readonly nurse: Client
  person(name: string): Client
  /** Another device, logged in; on the second node where asked. */
  device(
    account: string,
    resource?: string,
    options?: ClientOptions & { node?: number },
  ): Promise<Client>
  /** A connection on which nothing was said yet. */
  stranger(options?: ClientOptions & { account?: string; node?: number }): Client
  settle(): Promise<void>
  /** A node ends and begins again on the same database; killed, it has no time for anything. */
  restart(options?: { node?: number; kill?: boolean }): Promise<Server>
  close(): Promise<void>
}

export async function world(t: Test, options: WorldOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-world-'))
  const clock = new ManualClock()
  const lines: string[] = []
  const log = createLog({
    level: 'debug',
    format: 'text',
    write: (line) => void lines.push(line),
    now: () => clock.now(),
  })
  const together = options.cluster ?? new MemoryCluster()
  const made = { folder, clock, log, cluster: together, modules: await chosen(options) }
  const servers: Server[] = []
  const settle = async (): Promise<void> => {
    for (const server of [...servers, ...servers]) {
      await server.settled()
      await options.cluster?.settled?.()
    }
  }
  const close = async (): Promise<void> => {
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true })
    const bugs = lines.filter((line) => / a bug in /.test(line))
    // After its end a test takes no assertion, but an error fails it.
    if (!options.mayFail && bugs.length > 0) throw new Error(bugs.join('\n'))
  }
  t.teardown(close)
  for (let node = 0; node < (options.nodes ?? 1); node++)
    servers.push(await start(node, options, made))
  const created = await populate(servers[0]!, options)
  const people = new Map<string, Client>()
  let connected = 0
  const door = (node?: number): Server =>
    servers[node ?? (options.spread ? connected++ % servers.length : 0)]!
  for (const name of options.loggedIn === false ? [] : created) {
    people.set(name, await new Client(door(), address(name), { settle }).login())
  }
  const person = (name: string): Client => {
    const client = people.get(name)
    if (!client) throw new Error(`${name} is not in this world`)
    return client
  }
  const restart = async ({ node = 0, kill = false } = {}): Promise<Server> => {
    const old = servers[node]!
    if (kill) await killed(old)
    else await old.stop()
    const cluster = options.nodes === 2 ? together : new MemoryCluster()
    servers[node] = await start(node, options, { ...made, cluster })
    return servers[node]
  }
  return {
    get server() {
      return servers[0]!
    },
    servers,
    restart,
    clock,
    log: lines,
    person,
    settle,
    close,
    get romeo() {
      return person('romeo')
    },
    get juliet() {
      return person('juliet')
    },
    get nurse() {
      return person('nurse')
    },
    device: (account, resource = 'laptop', { node, ...options } = {}) =>
      new Client(door(node), address(account), { settle, ...options }).login(resource),
    stranger: ({ account = DOMAIN, node, ...options } = {}) =>
      new Client(door(node), account, { settle, ...options }),
  }
}

/** What is on disk is on disk; nobody says or hears anything more. */
async function killed(server: Server): Promise<void> {
  for (const { transport } of server.streams) (transport as MemoryTransport).vanish()
  server.streams.clear()
  server.schedule.close()
  // What is under way in it ends nowhere.
  const never = (): Promise<void> => new Promise(() => undefined)
  Object.assign(server.journal, { commit: never, settled: never, hurry: () => undefined })
  await server.journal.idle()
  await server.database.close()
  await server.bus.close()
}

function address(name: string): string {
  return name.includes('@') ? name : `${name}@${DOMAIN}`
}

async function populate(server: Server, options: WorldOptions): Promise<readonly string[]> {
  const names = options.people ?? ['romeo', 'juliet']
  for (const name of names) {
    const jid = Jid.parse(address(name))
    await server.run(jid.domain, 'user add', { jid: jid.text, password: `secret of ${name}` })
  }
  return names
}

/** The modules asked for with all that they require, accounts always. */
async function chosen(options: WorldOptions): Promise<Module[]> {
  const available = await findModules()
  if (options.modules === 'all') return [...available, worldLogin]
  const wanted = new Set<Module>([worldLogin])
  const add = (module: Module): void => {
    if (wanted.has(module)) return
    wanted.add(module)
    for (const required of module.requires ?? []) add(required)
  }
  add(accounts)
  for (const asked of options.modules ?? []) {
    const module = typeof asked === 'string' ? available.find(({ name }) => name === asked) : asked
    if (!module) throw new Error(`there is no module ${asked}`)
    add(module)
  }
  return [...wanted]
}

interface Made {
  folder: string
  clock: ManualClock
  log: Log
  cluster: Cluster
  modules: Module[]
}

function start(node: number, options: WorldOptions, made: Made): Promise<Server> {
  const database = options.database ?? (options.nodes === 2 ? 'sqlite' : 'sqlite:memory')
  return Server.start({
    settings: settings(options, made.folder, database),
    log: made.log,
    clock: made.clock,
    modules: made.modules,
    node: `node${node}`,
    cluster: made.cluster,
    shuffle: shuffler(),
  })
}

function settings(options: WorldOptions, data: string, database: string): ServerSettings {
  const host = (domain: string): HostSettings => ({
    domain,
    encryption: 'required',
    registration: 'closed',
    passwordRounds: 1,
    scramSha1: true,
    admins: [`nurse@${DOMAIN}`],
    tls: undefined,
    modules: options.options ?? {},
    ...options.host,
  })
  return {
    hosts: [host(DOMAIN), ...(options.hosts ?? []).map(host)],
    data,
    database,
    durability: 'crash',
    limits: options.limits ?? 'off',
    listen: { c2s: [], c2s_tls: [], http: [], https: [], proxies: [] },
  }
}

const seed = Number(process.env.TERCET_SEED ?? Math.floor(Math.random() * 2 ** 31))
let printed = false

/** Mulberry32: order inside a phase must not matter, so every run tries another. */
function shuffler(): <T>(list: T[]) => T[] {
  if (!printed) process.stdout.write(`# TERCET_SEED=${seed}\n`)
  printed = true
  let state = seed
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return (list) => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[list[i], list[j]] = [list[j]!, list[i]!]
    }
    return list
  }
}
