// What the control socket can ask of a running server: the commands of its modules by their names, and
// a few questions about the server itself under the noun `server`.

import { version } from '../ops/version.js'
import { StanzaError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { clusterVerbs } from './cluster-verbs.js'
import type { Command, Parameters } from './commands.js'
import type { ControlRequest } from './control.js'
import { phases, stanzaHooks } from './pipeline.js'
import type { Server } from './server.js'

export interface CommandDescription {
  readonly name: string
  readonly summary: string
  readonly parameters: Parameters
}

export interface ServerStatus {
  readonly version: string
  readonly pid: number
  readonly hosts: readonly { readonly domain: string; readonly sessions: number }[]
  readonly ports: Server['ports']
}

export interface ControlActions {
  /** Reads the configuration again; ConfigError where it is wrong. */
  reload(): Promise<readonly string[]>
}

/** What the command line asks while the server is on its way. */
export function notReady(): never {
  throw new StanzaError('recipient-unavailable', 'the server is starting: ask again in a moment')
}

export function controlVerbs(
  server: Server,
  actions: ControlActions,
): (request: ControlRequest) => Promise<unknown> {
  const own: Record<string, (args: ControlRequest['args']) => unknown> = {
    'server status': () => status(server),
    'server commands': () => server.commands().map(describe),
    'server modules': () => modules(server),
    'server pipeline': (args) => pipeline(server, String(args.hook)),
    'server reload': () => actions.reload(),
    ...clusterVerbs(server),
  }
  return async (request) => {
    if (Object.hasOwn(own, request.command)) return own[request.command]!(request.args)
    return server.run(hostFor(server, request), request.command, { ...request.args })
  }
}

function describe({ name, summary, parameters }: Command): CommandDescription {
  return { name, summary, parameters }
}

function status(server: Server): ServerStatus {
  const hosts = [...server.hosts.values()].map(({ domain, sessions }) => ({
    domain,
    sessions: sessions.size,
  }))
  return { version, pid: process.pid, hosts, ports: server.ports }
}

function modules(
  server: Server,
): { host: string; name: string; summary: string; xeps: string[] }[] {
  return [...server.hosts.values()].flatMap(({ domain, modules: loaded }) =>
    [...loaded.values()].map(({ module: { name, summary, xeps } }) => ({
      host: domain,
      name,
      summary,
      xeps: Object.keys(xeps ?? {}),
    })),
  )
}

function pipeline(
  server: Server,
  asked: string,
): { host: string; hook: string; phase: string; modules: string[] }[] {
  const hook = stanzaHooks.find((name) => name === asked)
  if (!hook)
    throw new StanzaError(
      'item-not-found',
      `there is no hook '${asked}': known are ${stanzaHooks.join(', ')}`,
    )
  return [...server.hosts.values()].flatMap((host) =>
    phases.map((phase) => ({
      host: host.domain,
      hook,
      phase,
      modules: host.pipeline.handlers(hook, phase).map(({ owner }) => owner),
    })),
  )
}

/** The host that was named, else the one of the first address among the arguments, else the only one. */
function hostFor(server: Server, { command, args, host }: ControlRequest): string {
  if (host !== undefined) return host
  const parameters = server.commands().find(({ name }) => name === command)?.parameters ?? {}
  for (const [name, { kind }] of Object.entries(parameters)) {
    const value = kind === 'jid' || kind === 'jids' ? args[name] : undefined
    const domain = Jid.tryParse(String([value].flat()[0]))?.domain
    if (value !== undefined && domain !== undefined && server.hosts.has(domain)) return domain
  }
  const [only, ...others] = server.hosts.keys()
  if (only !== undefined && others.length === 0) return only
  throw new StanzaError(
    'bad-request',
    `which host? Add --host with one of ${[...server.hosts.keys()].join(', ')}`,
  )
}
