// Builds everything from the settings, starts it and stops it: the database, the hosts with their
// modules, the router, the listeners. What is here belongs to all hosts.

import type { Bus } from '../cluster/bus.js'
import type { Cluster, Members } from '../cluster/cluster.js'
import type { Directory, Place } from '../cluster/directory.js'
import type { Owners } from '../cluster/owners.js'
import { Talk } from '../cluster/talk.js'
import type { Clock } from '../ops/clock.js'
import { systemClock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Random } from '../ops/random.js'
import { systemRandom } from '../ops/random.js'
import { StreamError } from '../xmpp/errors.js'
import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import { Routes } from '../net/http.js'
import type { Transport } from '../net/transport.js'
import type { Database } from '../storage/database.js'
import { Journal } from '../storage/journal.js'
import type { MessageLog } from '../storage/message-log.js'
import { Taken } from '../storage/taken.js'
import { isTrouble } from '../storage/trouble.js'
import type { Whereabouts } from '../storage/whereabouts.js'
import { ClientStream } from '../streams/client-stream.js'
import type { StreamSurroundings } from '../streams/surroundings.js'
import { Binding } from './binding.js'
import { addChores } from './chores.js'
import { type Command, type CommandResult, commandsOf, runCommand } from './commands.js'
import { Fencing } from './fencing.js'
import type { Host } from './host.js'
import { Everywhere } from './everywhere.js'
import { Hosts } from './hosts.js'
import { Listeners } from './listeners.js'
import type { DomainOffer, Module } from './module.js'
import { Neighbours } from './neighbours.js'
import { openOwners } from './owning.js'
import { Operation } from './operation.js'
import { openResources, type Resources } from './resources.js'
import { Router } from './router.js'
import { Schedule } from './schedule.js'
import { Showing } from './showing.js'
import { fixedKeys, type ServerSettings } from './settings.js'
import { surroundingsOf } from './stream-place.js'
import { SharedChanges } from './shared-changes.js'

export interface ServerOptions {
  settings: ServerSettings
  log: Log
  clock?: Clock
  random?: Random
  /** Instead of the built-in ones */
  modules?: readonly Module[]
  /** Tests: several nodes in one process, and handlers in any order */
  node?: string
  cluster?: Cluster
  shuffle?: Shuffle
}

type Shuffle = <T>(list: T[]) => T[]

interface Given {
  readonly settings: ServerSettings
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly node: string
  readonly shuffle: Shuffle | undefined
}

export class Server {
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** Domains of modules: rooms.chat.example and the like */
  readonly domains = new Map<string, { host: Host; offer: DomainOffer }>()
  readonly routes = new Routes()
  readonly router = new Router(this)
  readonly streams = new Set<ClientStream>()
  readonly database: Database
  readonly messages: MessageLog
  readonly journal: Journal
  readonly taken: Taken
  readonly directory: Directory
  readonly bus: Bus
  readonly members: Members
  readonly talk: Talk
  readonly neighbours: Neighbours
  readonly binding: Binding
  readonly whereabouts: Whereabouts | undefined
  readonly showing = new Showing(this)
  readonly operation = new Operation(this)
  readonly changes: SharedChanges
  readonly fencing: Fencing
  readonly owners: Owners
  readonly everywhere: Everywhere
  /** Of this node: a new one with each start */
  readonly life: string
  readonly shuffle: Shuffle | undefined
  readonly schedule: Schedule
  settings: ServerSettings
  readonly #hosts: Hosts
  readonly #surroundings: StreamSurroundings
  #listeners: Listeners | undefined
  #pending = new Set<Promise<void>>()
  #stopping = false

  static async start(options: ServerOptions): Promise<Server> {
    const { settings, log, modules, cluster } = options
    const { clock = systemClock, random = systemRandom } = options
    const node = options.node ?? random.id()
    const given = { settings, log, clock, random, node }
    const resources = await openResources({ ...given, modules, cluster })
    const server = new Server({ ...given, shuffle: options.shuffle }, resources)
    try {
      await server.#open()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  private constructor(given: Given, resources: Resources) {
    const { database, messages, whereabouts, modules, neighbourhood, life } = resources
    this.settings = given.settings
    this.log = given.log
    this.clock = given.clock
    this.random = given.random
    this.#surroundings = surroundingsOf(this)
    this.node = given.node
    this.shuffle = given.shuffle
    this.database = database
    this.messages = messages
    const fenced = (): void => this.fencing.cut()
    this.journal = new Journal(database, { messages, log: this.log, life, fenced })
    this.taken = new Taken(database, this.journal)
    this.directory = neighbourhood.directory
    this.bus = neighbourhood.bus
    this.members = neighbourhood.members
    this.life = life
    this.talk = new Talk(this.bus, this)
    this.neighbours = new Neighbours(this, this.bus, this.members)
    this.binding = new Binding(this)
    this.whereabouts = whereabouts
    this.schedule = new Schedule(
      this.clock,
      (where, error) => this.failed(where, error),
      (run) => void this.pending(run),
    )
    this.#hosts = new Hosts(this, modules)
    this.changes = new SharedChanges(this)
    this.fencing = new Fencing(this)
    this.owners = openOwners(this)
    this.everywhere = new Everywhere(this)
  }

  async #open(): Promise<void> {
    for (const settings of this.settings.hosts) await this.#hosts.add(settings)
    addChores(this)
    this.operation.prepare()
    this.#listeners = await Listeners.open(this)
    this.operation.open(this.#listeners)
  }

  get ports(): Listeners['ports'] {
    return this.#listeners?.ports ?? { c2s: [], c2s_tls: [], http: [], https: [] }
  }

  get stopping(): boolean {
    return this.#stopping
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts.byDomain
  }

  hostOf(jid: Jid): Host | undefined {
    return this.hosts.get(jid.domain)
  }

  /** The host that a stanza from or to this address is the affair of. */
  responsible(jid: Jid): Host | undefined {
    return this.hosts.get(jid.domain) ?? this.domains.get(jid.domain)?.host
  }

  /** A client connected, by whatever way. */
  accept(transport: Transport): ClientStream {
    const stream = new ClientStream(transport, this.#surroundings)
    this.streams.add(stream)
    if (this.fencing.over) transport.destroy()
    else if (this.#stopping || this.operation.turnsAway)
      stream.close(new StreamError('system-shutdown'))
    return stream
  }

  /** To a session of another node; whether that node was there. */
  writeElsewhere(place: Place, envelope: Envelope): boolean | Promise<boolean> {
    return this.neighbours.write(place, envelope)
  }

  // Commands

  commands(domain?: string): Command[] {
    return commandsOf(this, domain)
  }

  run(
    domain: string | undefined,
    name: string,
    args: Record<string, unknown>,
    by?: Jid,
  ): Promise<CommandResult> {
    return runCommand(this, { domain, name, args, by })
  }

  // Running

  /** Another node took this one for dead: resolves when nothing more is said to anybody. */
  get fenced(): Promise<void> {
    return this.fencing.fenced
  }

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
    // Nothing of it counts any more.
    if (this.fencing.over) return
    let busy: Promise<void>[]
    do {
      await Promise.all([...this.#pending, ...this.#lanes()])
      await this.journal.idle()
      await new Promise((resolve) => setImmediate(resolve))
      busy = this.#lanes()
    } while (this.#pending.size > 0 || busy.length > 0)
  }

  #lanes(): Promise<void>[] {
    return [...this.hosts.values()]
      .flatMap((host) => [...host.sessions.all()])
      .flatMap((session) => session.drained() ?? [])
  }

  /** A bug in `where`: its stack is in the log, and nobody else is harmed. */
  failed(where: string, error: unknown): void {
    // That the database is away or full is nobody's fault, nor what a life that is over cannot do.
    if (this.fencing.over) return
    if (isTrouble(error)) this.log.warn(`${where} needs the database`, { error })
    else this.log.error(`a bug in ${where}`, { error })
  }

  /** Takes over what can change while running; says what changed and what needs a restart. */
  async reload(settings: ServerSettings): Promise<string[]> {
    const before = this.settings
    const fixed = fixedKeys.filter(
      (key) => JSON.stringify(settings[key]) !== JSON.stringify(before[key]),
    )
    this.settings = { ...before, hosts: settings.hosts }
    this.pending(this.operation.changed())
    return [
      ...fixed.map((key) => `${key} changed: needs a restart`),
      ...(await this.#hosts.reload(settings.hosts)),
      ...((await this.#listeners?.reload()) ?? []),
    ]
  }

  /** Everybody is told, everything that was taken is finished, nothing is lost. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    // A port counts as closed when its last connection is: that may wait for our streams to end.
    const deaf = this.#listeners?.stopAccepting()
    for (const stream of [...this.streams]) stream.close(new StreamError('system-shutdown'))
    await deaf
    // Nobody is left to answer what we asked: whoever waits for it goes on.
    for (const host of this.hosts.values()) host.iq.close()
    this.talk.close()
    await this.settled()
    for (const host of [...this.hosts.values()]) await this.#hosts.remove(host)
    this.schedule.close()
    await this.#listeners?.close()
    await this.journal.close()
    await this.messages.close()
    await this.whereabouts?.close()
    await Promise.all([this.bus.close(), this.directory.close()])
    await this.database.close()
  }
}
