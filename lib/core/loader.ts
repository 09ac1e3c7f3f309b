// Modules of a host: found by name, checked, put in the order that `requires` asks for, set up, and
// everything they offer added; or removed again. No module registers anything itself.

import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Options } from '../ops/options.js'
import { ConfigError } from '../xmpp/errors.js'
import type { Host } from './host.js'
import type { DomainOffer, Module, ModuleHost, Offers } from './module.js'

const require = createRequire(import.meta.url)
const builtIn = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'modules')

/** A built-in module is modules/NAME.js or modules/NAME/NAME.js. */
export async function findModules(folder = builtIn): Promise<Module[]> {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory())
      return existsSync(join(folder, entry.name, `${entry.name}.js`)) ? [entry.name] : []
    return entry.name.endsWith('.js') ? [entry.name.slice(0, -3)] : []
  })
  // Hundreds of small files, one after the other: a third faster than `import`, which waits for each.
  return names.sort().map((name) => moduleOf(pathOf(folder, name), require(pathOf(folder, name))))
}

function pathOf(folder: string, name: string): string {
  const alone = join(folder, `${name}.js`)
  return existsSync(alone) ? alone : join(folder, name, `${name}.js`)
}

export async function loadModule(path: string): Promise<Module> {
  return moduleOf(path, await import(pathToFileURL(path).href))
}

function moduleOf(path: string, loaded: { default?: Module }): Module {
  if (typeof loaded.default?.setup !== 'function') {
    throw new ConfigError([
      { message: `${path} exports no module: export default defineModule({ … })`, path: 'modules' },
    ])
  }
  return loaded.default
}

/** Required modules first; otherwise by name, so that every start is the same. */
export function inOrder(modules: readonly Module[]): Module[] {
  const byName = new Map(modules.map((module) => [module.name, module]))
  for (const module of modules)
    if (byName.get(module.name) !== module) throw fault(`two modules are named ${module.name}`)
  const ordered: Module[] = []
  const visit = (module: Module, path: readonly string[]): void => {
    if (ordered.includes(module)) return
    if (path.includes(module.name))
      throw fault(`modules require each other: ${[...path, module.name].join(' → ')}`)
    for (const required of module.requires ?? []) {
      const found = byName.get(required.name)
      if (!found)
        throw fault(`module ${module.name} needs module ${required.name}, which is left out`)
      visit(found, [...path, module.name])
    }
    ordered.push(module)
  }
  for (const module of [...modules].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(module, [])
  return ordered
}

function fault(message: string): ConfigError {
  return new ConfigError([{ message, path: 'modules' }])
}

/** The module's options: what was written, read by its declarations, defaults for the rest. */
export function readOptions(
  module: Module,
  written: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const declared: Options = module.config ?? {}
  const values: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(written)) {
    if (!Object.hasOwn(declared, name)) throw fault(`module ${module.name} has no option ${name}`)
  }
  for (const [name, option] of Object.entries(declared)) {
    try {
      values[name] = option.read(written[name] ?? option.default)
    } catch (error) {
      throw fault(`modules.${module.name}.${name}: ${(error as Error).message}`)
    }
  }
  return values
}

type Written = Readonly<Record<string, unknown>>

export async function addModule(host: Host, module: Module, written: Written): Promise<void> {
  const offers = await module.setup(moduleHost(host, module, readOptions(module, written)))
  host.modules.set(module.name, { module, written, offers })
  try {
    addOffers(host, module.name, offers)
  } catch (error) {
    await removeModule(host, module.name)
    throw error
  }
}

function addOffers(host: Host, owner: string, offers: Offers): void {
  host.iq.add(owner, offers.iq ?? [])
  host.pipeline.add(owner, offers.hooks ?? {})
  host.events.add(owner, offers.on ?? {})
  if (offers.domain) addDomain(host, owner, offers.domain)
  for (const route of offers.http ?? []) host.server.routes.add(`${host.domain} ${owner}`, route)
  for (const task of offers.tasks ?? []) host.server.schedule.add(`${host.domain} ${owner}`, task)
  // What was read by `setup` may have been changed by another node since.
  if (host.server.members.all().length > 1)
    for (const remembered of Object.values(offers.remembers ?? {})) remembered.forgetAll()
  host.refresh()
}

function addDomain(host: Host, owner: string, offer: DomainOffer): void {
  const { domains, hosts } = host.server
  const domain = `${offer.subdomain}.${host.domain}`
  if (domains.has(domain) || hosts.has(domain))
    throw new Error(`${owner} wants the domain ${domain}, which is taken`)
  domains.set(domain, { host, offer })
}

export async function removeModule(host: Host, name: string): Promise<void> {
  const loaded = host.modules.get(name)
  if (!loaded) return
  host.modules.delete(name)
  host.iq.remove(name)
  host.pipeline.remove(name)
  host.events.remove(name)
  for (const [domain, { offer }] of host.server.domains)
    if (offer === loaded.offers.domain) host.server.domains.delete(domain)
  host.server.routes.remove(`${host.domain} ${name}`)
  host.server.schedule.remove(`${host.domain} ${name}`)
  host.refresh()
  await loaded.offers.close?.()
}

/** The host with this module's own options and log beside it. */
function moduleHost(host: Host, module: Module, config: Record<string, unknown>): ModuleHost {
  const view = Object.create(host, {
    config: { value: config },
    log: { value: host.log.with({ module: module.name }) },
    use: { value: (other: Module) => use(host, module, other) },
  })
  return view as ModuleHost
}

function use(host: Host, module: Module, other: Module): unknown {
  if (!module.requires?.includes(other))
    throw new Error(`module ${module.name} must require ${other.name} to use it`)
  return host.modules.get(other.name)?.offers.provides
}
