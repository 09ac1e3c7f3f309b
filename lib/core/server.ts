// Builds everything from the settings, starts it and stops it: the database, the hosts with their
// modules, the router, the listeners. What is here belongs to all hosts.

import type { Bus } from '../cluster/bus.js'
import type { Directory, Place } from '../cluster/directory.js'
import { MemoryCluster } from '../cluster/memory.js'
import type { Clock } from '../ops/clock.js'
import { systemClock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Random } from '../ops/random.js'
import { systemRandom } from '../ops/random.js'
import { StanzaError, StreamError } from '../xmpp/errors.js'
import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import { Routes } from '../net/http.js'
import type { Transport } from '../net/transport.js'
import { Database } from '../storage/database.js'
import { Journal } from '../storage/journal.js'
import { migrate } from '../storage/migrations.js'
import { ClientStream } from '../streams/client-stream.js'
import { type Command, type CommandResult, readArguments } from './commands.js'
import { encodeFrame, readFrame } from './frame.js'
import { Host } from './host.js'
import { Listeners } from './listeners.js'
import { addModule, findModules, inOrder, loadModule, removeModule } from './loader.js'
import type { DomainOffer, Module } from './module.js'
import { Router } from './router.js'
import { Schedule } from './schedule.js'
import type { Session } from './session.js'
import type { HostSettings, ServerSettings } from './settings.js'

export interface ServerOptions {
  settings: ServerSettings
  log: Log
  clock?: Clock
  random?: Random
  /** Instead of the built-in ones */
  modules?: readonly Module[]
  /** Tests: several nodes in one process, and handlers in any order */
  node?: string
  cluster?: MemoryCluster
  shuffle?: <T>(list: T[]) => T[]
}

export class Server {
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly hosts = new Map<string, Host>()
  /** Domains of modules: rooms.chat.example and the like */
  readonly domains = new Map<string, DomainOffer>()
  readonly routes = new Routes()
  readonly router = new Router(this)
  readonly streams = new Set<ClientStream>()
  readonly database: Database
  readonly journal: Journal
  readonly directory: Directory
  readonly bus: Bus
  readonly shuffle: (<T>(list: T[]) => T[]) | undefined
  readonly schedule: Schedule
  settings: ServerSettings
  #listeners: Listeners | undefined
  #available: readonly Module[]
  #pending = new Set<Promise<void>>()
  #stopping = false

  static async start(options: ServerOptions): Promise<Server> {
    const { settings } = options
    const [database, modules] = await Promise.all([
      Database.open({ url: settings.database, folder: settings.data, durability: settings.durability }),
      options.modules ?? findModules(),
    ])
    const server = new Server(options, database, modules)
    try {
      await server.#open()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  private constructor(options: ServerOptions, database: Database, modules: readonly Module[]) {
    this.settings = options.settings
    this.log = options.log
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? systemRandom
    this.node = options.node ?? this.random.id()
    this.shuffle = options.shuffle
    this.database = database
    this.journal = new Journal(database)
    const cluster = options.cluster ?? new MemoryCluster()
    this.directory = cluster.directory()
    this.bus = cluster.bus(this.node)
    this.schedule = new Schedule(this.clock, (where, error) => this.failed(where, error))
    this.#available = modules
  }

  async #open(): Promise<void> {
    this.bus.onFrame((_from, frame) => this.#frame(frame))
    await this.#migrate()
    for (const settings of this.settings.hosts) await this.#addHost(settings)
    this.#listeners = await Listeners.open(this)
  }

  async #migrate(): Promise<void> {
    const sets = this.#available
      .filter((module) => module.migrations)
      .map((module) => ({ owner: module.name, migrations: module.migrations ?? [] }))
    await migrate(this.database, sets)
  }

  async #addHost(settings: HostSettings): Promise<void> {
    const host = new Host(this, settings)
    this.hosts.set(host.domain, host)
    for (const module of inOrder(await this.#modulesFor(settings))) await addModule(host, module)
    await host.events.emit('host:ready', { domain: host.domain })
  }

  /** All built-in modules but those switched off, and those the configuration names by their path. */
  async #modulesFor(settings: HostSettings): Promise<Module[]> {
    const paths = Object.keys(settings.modules).filter((name) => name.startsWith('/') && settings.modules[name])
    const named = await Promise.all(paths.map(loadModule))
    return [...this.#available.filter((module) => settings.modules[module.name] !== false), ...named]
  }

  async #removeHost(host: Host): Promise<void> {
    await host.events.emit('host:closing', { domain: host.domain })
    for (const session of [...host.sessions.all()]) session.close(new StreamError('host-gone'))
    for (const name of [...host.modules.keys()].reverse()) await removeModule(host, name)
    host.iq.close()
    this.hosts.delete(host.domain)
  }

  get ports(): Listeners['ports'] {
    return this.#listeners?.ports ?? { c2s: [], c2s_tls: [], http: [], https: [] }
  }

  get stopping(): boolean {
    return this.#stopping
  }

  hostOf(jid: Jid): Host | undefined {
    return this.hosts.get(jid.domain)
  }

  /** A client connected, by whatever way. */
  accept(transport: Transport): ClientStream {
    const stream = new ClientStream(transport, this.#surroundings)
    this.streams.add(stream)
    return stream
  }

  readonly #surroundings = {
    server: this as Server,
    get clock(): Clock {
      return this.server.clock
    },
    get random(): Random {
      return this.server.random
    },
    get unlimited(): boolean {
      return this.server.settings.limits === 'off'
    },
    host(domain: string) {
      return this.server.hosts.get(domain)
    },
    failed(error: unknown) {
      this.server.failed('stream', error)
    },
    ended(stream: ClientStream) {
      this.server.streams.delete(stream)
    },
  }

  /** To a session of another node. */
  writeElsewhere(place: Place, envelope: Envelope): boolean | Promise<boolean> {
    return this.bus.send(place.node, encodeFrame(place.id, envelope))
  }

  #frame(frame: Buffer): void {
    const { session, envelope } = readFrame(frame)
    this.session(session)?.write(envelope)
  }

  session(id: string): Session | undefined {
    for (const host of this.hosts.values()) {
      const session = host.sessions.byId(id)
      if (session) return session
    }
    return undefined
  }

  // Commands

  commands(domain?: string): Command[] {
    const hosts = domain === undefined ? [...this.hosts.values()] : [this.hosts.get(domain)].filter((host) => host !== undefined)
    const byName = new Map<string, Command>()
    for (const host of hosts) {
      for (const { offer } of host.offered('commands')) for (const command of offer) byName.set(command.name, command)
    }
    return [...byName.values()]
  }

  async run(domain: string | undefined, name: string, args: Record<string, unknown>, by?: Jid): Promise<CommandResult> {
    const host = domain === undefined ? [...this.hosts.values()][0] : this.hosts.get(domain)
    if (!host) throw new StanzaError('item-not-found', `there is no host ${domain}`)
    const command = [...host.offered('commands')].flatMap(({ offer }) => offer).find((offer) => offer.name === name)
    if (!command) throw new StanzaError('item-not-found', `there is no command '${name}'`)
    return command.run(readArguments(command, args), { host, by })
  }

  // Running

  /** Keeps count of what is under way, so that stopping and tests can wait for it. */
  pending<T extends Promise<void> | undefined | void>(work: T): T {
    if (work) {
      const tracked: Promise<void> = work.then(
        () => void this.#pending.delete(tracked),
        () => void this.#pending.delete(tracked),
      )
      this.#pending.add(tracked)
    }
    return work
  }

  /** Resolves when every inbox is empty and everything is on disk. */
  async settled(): Promise<void> {
    do {
      await Promise.all(this.#pending)
      await this.journal.idle()
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#pending.size > 0 || [...this.hosts.values()].some(isBusy))
  }

  /** A bug in `where`: its stack is in the log, and nobody else is harmed. */
  failed(where: string, error: unknown): void {
    this.log.error(`a bug in ${where}`, { error })
  }

  /** Takes over what can change while running; says what changed and what needs a restart. */
  async reload(settings: ServerSettings): Promise<string[]> {
    const changes: string[] = []
    for (const host of [...this.hosts.values()]) {
      if (settings.hosts.some(({ domain }) => domain === host.domain)) continue
      await this.#removeHost(host)
      changes.push(`host ${host.domain} removed`)
    }
    for (const next of settings.hosts) changes.push(...(await this.#reloadHost(next)))
    for (const key of ['data', 'database', 'durability', 'limits', 'listen'] as const) {
      if (JSON.stringify(settings[key]) !== JSON.stringify(this.settings[key])) changes.push(`${key} changed: needs a restart`)
    }
    const kept = { ...this.settings, hosts: settings.hosts }
    this.settings = kept
    changes.push(...((await this.#listeners?.reload(kept)) ?? []))
    return changes
  }

  async #reloadHost(next: HostSettings): Promise<string[]> {
    const host = this.hosts.get(next.domain)
    if (!host) {
      await this.#addHost(next)
      return [`host ${next.domain} added`]
    }
    const before = host.settings
    const wanted = inOrder(await this.#modulesFor(next))
    host.settings = next
    const changes = (['encryption', 'registration', 'passwordRounds', 'scramSha1', 'admins'] as const)
      .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(next[key]))
      .map((key) => `${host.domain}: ${key} changed`)
    return [...changes, ...(await this.#reloadModules(host, before, wanted))]
  }

  async #reloadModules(host: Host, before: HostSettings, wanted: readonly Module[]): Promise<string[]> {
    const changes: string[] = []
    for (const name of [...host.modules.keys()].reverse()) {
      const changed = JSON.stringify(before.modules[name]) !== JSON.stringify(host.settings.modules[name])
      if (wanted.some((module) => module.name === name) && !changed) continue
      await removeModule(host, name)
      changes.push(`${host.domain}: module ${name} ${changed ? 'reloaded' : 'removed'}`)
    }
    for (const module of wanted) if (!host.modules.has(module.name)) await addModule(host, module)
    return changes
  }

  /** Everybody is told, everything that was taken is finished, nothing is lost. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    await this.#listeners?.stopAccepting()
    for (const stream of [...this.streams]) stream.close(new StreamError('system-shutdown'))
    await this.settled()
    for (const host of [...this.hosts.values()]) await this.#removeHost(host)
    this.schedule.close()
    await this.#listeners?.close()
    await this.journal.close()
    await Promise.all([this.bus.close(), this.directory.close()])
    await this.database.close()
  }
}

function isBusy(host: Host): boolean {
  for (const session of host.sessions.all()) if (!session.idle) return true
  return false
}
