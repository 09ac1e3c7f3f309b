// The managed sessions of a host. What must be looked at now and then (requests that are due, clients
// that do not answer, absences that are over) is looked at in one sweep, and acknowledgements that a
// commit makes due leave once for all stanzas of a group.

import type { Member } from '../../lib/cluster/cluster.js'
import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'
import type { Sessions } from '../../lib/core/sessions.js'
import type { Handled } from './handled.js'
import type { ManagedSession } from './managed-session.js'
import { SteadyTime } from './steady-time.js'
import { Turns } from './turns.js'

/** LIM-sm-queue */
export interface Bounds {
  readonly stanzas: number
  readonly bytes: number
}

/** Whose life a row names */
export function memberIn(life: string): Member {
  const at = life.indexOf('@')
  return { life: life.slice(0, at), node: life.slice(at + 1) }
}

/** Sessions outlive a module that is loaded again with other options. */
const registries = new WeakMap<Sessions, Registry>()

export class Registry {
  readonly host: Host
  /** The module is gone: nobody could resume a session. */
  closed = false
  /** This life of this node, as rows name it */
  readonly life: string
  /** By session: streams that want the same one, here and elsewhere; the last one has it. */
  readonly turns = new Turns()
  readonly time: SteadyTime
  bounds: Bounds = { stanzas: 1000, bytes: 1024 * 1024 }
  readonly #byId = new Map<string, ManagedSession>()
  #listed: ManagedSession[] = []
  #telling: Handled[] = []

  static of(host: Host): Registry {
    const known = registries.get(host.sessions)
    if (known) return known
    const registry = new Registry(host)
    registries.set(host.sessions, registry)
    return registry
  }

  private constructor(host: Host) {
    this.host = host
    this.time = new SteadyTime(host.clock)
    this.life = `${host.server.life}@${host.server.node}`
  }

  get size(): number {
    return this.#byId.size
  }

  find(id: string): ManagedSession | undefined {
    return this.#byId.get(id)
  }

  all(): IterableIterator<ManagedSession> {
    return this.#byId.values()
  }

  add(managed: ManagedSession): void {
    this.#byId.set(managed.terms.id, managed)
  }

  remove(managed: ManagedSession): void {
    this.#byId.delete(managed.terms.id)
  }

  /** It is looked at in the next sweep. */
  list(managed: ManagedSession): void {
    if (managed.listed) return
    managed.listed = true
    this.#listed.push(managed)
  }

  sweep(): void {
    const listed = this.#listed
    this.#listed = []
    const { now } = this.time
    for (const managed of listed) {
      managed.listed = false
      if (managed.look(now)) this.list(managed)
    }
  }

  /** When this turn is over: a group's stanzas are committed one after the other. */
  tellSoon(handled: Handled): void {
    if (handled.telling) return
    handled.telling = true
    if (this.#telling.push(handled) === 1) setImmediate(() => this.#tell())
  }

  #tell(): void {
    const telling = this.#telling
    this.#telling = []
    for (const handled of telling) {
      handled.telling = false
      handled.tell()
    }
  }

  /** What modules remember of a session, as JSON. */
  stateOf(session: Session): string {
    const state: Record<string, unknown> = {}
    for (const { owner, offer } of this.host.offered('session')) state[owner] = offer.save(session)
    return JSON.stringify(state)
  }

  async restore(session: Session, state: string): Promise<void> {
    const saved = JSON.parse(state || '{}') as Record<string, unknown>
    const offers = [...this.host.offered('session')]
    // All at once: until its presence is there nobody finds it who looks in the directory.
    const each = offers.map(async ({ owner, offer }) => {
      try {
        await offer.restore(session, saved[owner])
      } catch (error) {
        this.host.failed(owner, error)
      }
    })
    await Promise.all(each)
  }
}
