// The hosts of a server with their modules: which modules a host has, adding and removing a host, and
// taking over a changed configuration while everything runs.

import { migrate } from '../storage/migrations.js'
import { StreamError } from '../xmpp/errors.js'
import { Host } from './host.js'
import { addModule, inOrder, loadModule, readOptions, removeModule } from './loader.js'
import type { Module } from './module.js'
import type { Server } from './server.js'
import type { HostSettings } from './settings.js'

type Written = Readonly<Record<string, unknown>>

/** A module as a host's configuration has it. */
interface Chosen {
  module: Module
  written: Written
}

export class Hosts {
  readonly byDomain = new Map<string, Host>()
  readonly #server: Server
  readonly #available: readonly Module[]

  constructor(server: Server, available: readonly Module[]) {
    this.#server = server
    this.#available = available
  }

  async add(settings: HostSettings): Promise<void> {
    const chosen = await this.#choose(settings)
    await this.#migrate(chosen)
    const host = new Host(this.#server, settings)
    this.byDomain.set(host.domain, host)
    try {
      await this.#addModules(host, chosen)
    } catch (error) {
      await this.remove(host)
      throw error
    }
    await host.events.emit('host:ready', { domain: host.domain })
  }

  async remove(host: Host): Promise<void> {
    await host.events.emit('host:closing', { domain: host.domain })
    // RFC 6120 §4.9.3.5: also those that have not logged in yet.
    for (const stream of [...this.#server.streams])
      if (stream.domain === host.domain) stream.close(new StreamError('host-gone'))
    await this.#server.settled()
    for (const name of [...host.modules.keys()].reverse()) await removeModule(host, name)
    host.iq.close()
    this.byDomain.delete(host.domain)
  }

  /** Says what changed. */
  async reload(next: readonly HostSettings[]): Promise<string[]> {
    const changes: string[] = []
    for (const host of [...this.byDomain.values()]) {
      if (next.some(({ domain }) => domain === host.domain)) continue
      await this.remove(host)
      changes.push(`host ${host.domain} removed`)
    }
    for (const settings of next) changes.push(...(await this.#reloadHost(settings)))
    return changes
  }

  async #reloadHost(next: HostSettings): Promise<string[]> {
    const host = this.byDomain.get(next.domain)
    if (!host) {
      await this.add(next)
      return [`host ${next.domain} added`]
    }
    const before = host.settings
    const chosen = await this.#choose(next)
    host.settings = next
    const keys = ['encryption', 'registration', 'passwordRounds', 'scramSha1', 'admins'] as const
    const changed = keys.filter((key) => !same(before[key], next[key]))
    return [
      ...changed.map((key) => `${host.domain}: ${key} changed`),
      ...(await this.#reloadModules(host, chosen)),
    ]
  }

  async #reloadModules(host: Host, chosen: readonly Chosen[]): Promise<string[]> {
    const gone = [...host.modules].filter(
      ([name, loaded]) =>
        !chosen.some(
          ({ module, written }) => module.name === name && same(written, loaded.written),
        ),
    )
    const names = withDependents(
      host,
      gone.map(([name]) => name),
    )
    for (const name of names) await removeModule(host, name)
    await this.#migrate(chosen)
    const before = new Set(host.modules.keys())
    await this.#addModules(host, chosen)
    const now = [...host.modules.keys()].filter((name) => !before.has(name))
    return [
      ...names
        .filter((name) => !host.modules.has(name))
        .map((name) => `${host.domain}: module ${name} removed`),
      ...now.map(
        (name) => `${host.domain}: module ${name} ${names.includes(name) ? 'reloaded' : 'added'}`,
      ),
    ]
  }

  async #addModules(host: Host, chosen: readonly Chosen[]): Promise<void> {
    for (const module of inOrder(chosen.map((one) => one.module))) {
      if (host.modules.has(module.name)) continue
      const written = chosen.find((one) => one.module === module)?.written ?? {}
      await addModule(host, module, written)
    }
  }

  /** All built-in modules but those switched off, and those the configuration names by their path. */
  async #choose({ modules }: HostSettings): Promise<Chosen[]> {
    const builtIn = this.#available
      .filter(({ name }) => modules[name] !== false)
      .map((module) => ({ module, written: modules[module.name] || {} }))
    const paths = Object.entries(modules).filter(
      ([name, written]) => name.startsWith('/') && written !== false,
    )
    const named = paths.map(async ([path, written]) => ({
      module: await loadModule(path),
      written: written || {},
    }))
    const chosen = [...builtIn, ...(await Promise.all(named))]
    // What is wrong is found before anything is changed.
    inOrder(chosen.map(({ module }) => module))
    for (const { module, written } of chosen) readOptions(module, written)
    return chosen
  }

  async #migrate(chosen: readonly Chosen[]): Promise<void> {
    const sets = chosen.flatMap(({ module }) =>
      module.migrations ? [{ owner: module.name, migrations: module.migrations }] : [],
    )
    const applied = await migrate(this.#server.database, sets)
    if (applied.length > 0)
      this.#server.log.debug('the database was brought up to date', { steps: applied.join(', ') })
  }
}

/** Modules with all that require them, the dependents first. */
function withDependents(host: Host, names: readonly string[]): string[] {
  const all = new Set(names)
  for (const [name, { module }] of host.modules) {
    if (module.requires?.some((required) => all.has(required.name))) all.add(name)
  }
  return [...host.modules.keys()].filter((name) => all.has(name)).reverse()
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
