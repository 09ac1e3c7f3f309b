// What `tercet start` tells people once the server listens: where it is, and how to get in.

import type { Host } from '../lib/core/host.js'
import type { Server } from '../lib/core/server.js'
import type { ListenPlace } from '../lib/core/settings.js'
import { version } from '../lib/ops/version.js'
import type { Parsed } from './flags.js'
import type { Running } from './serving.js'
import type { Terminal } from './terminal.js'

const WIDTH = 10

export async function greet(
  terminal: Terminal,
  { server, settings, file }: Running,
  parsed: Parsed,
): Promise<void> {
  const say = (name: string, text: string) =>
    terminal.out(`  ${terminal.style('dim', name.padEnd(WIDTH))}  ${text}`)
  terminal.out(terminal.style('bold', `Tercet ${version}`))
  say('config', file ?? 'the defaults: there is no tercet.yaml')
  say('data', settings.data)
  say(server.hosts.size === 1 ? 'domain' : 'domains', [...server.hosts.keys()].join(', '))
  for (const [name, text] of addresses(server)) say(name, text)
  if ((settings.redis ?? '') !== '') say('node', nodes(server))
  const unsigned = [...server.hosts.values()].filter((host) => host.settings.tls === undefined)
  if (unsigned.length > 0)
    say(
      'tls',
      `self-signed for ${unsigned.map(({ domain }) => domain).join(', ')}: clients ask whether to trust it`,
    )
  for (const host of server.hosts.values()) {
    if ((await accounts(server, host)) === 0) say('log in', firstAccount(host, parsed))
  }
}

/** Its name among the others, or those of the workers that share these ports. */
function nodes({ node, settings: { workers = 1 } }: Server): string {
  return workers > 1 ? `${node} to -${workers}, in processes of their own` : node
}

export function sayReady(terminal: Terminal): void {
  // The clock of performance starts with the process.
  terminal.out(terminal.style('green', `ready after ${Math.round(performance.now())} ms`))
}

const labels: Record<string, string> = {
  c2s: 'clients (STARTTLS)',
  c2s_tls: 'clients (TLS)',
  http: 'HTTP',
  https: 'HTTPS',
}

/** What is open, not what was asked for. */
export function addresses(server: Server): [string, string][] {
  const places = Object.entries(server.ports)
    .filter(([, ports]) => ports.length > 0)
    .map(([name, ports]) => {
      const asked: readonly ListenPlace[] = server.settings.listen[name as keyof Server['ports']]
      const open = asked.filter(({ port }) => ports.includes(port))
      return `${labels[name]} ${open.map(showPlace).join(', ')}`
    })
  if (places.length === 0) return [['ports', 'none is open: see listen in the configuration']]
  return places.map((text, at) => [at === 0 ? 'ports' : '', text])
}

function showPlace({ address, port }: ListenPlace): string {
  if (address === undefined) return String(port)
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** undefined where no module keeps accounts. */
async function accounts(server: Server, host: Host): Promise<number | undefined> {
  const counts = server.commands(host.domain).some(({ name }) => name === 'user count')
  if (!counts) return undefined
  const { rows } = await server.run(host.domain, 'user count', {})
  return Number(Object.values(rows?.[0] ?? {})[0])
}

function firstAccount(host: Host, parsed: Parsed): string {
  const anybody = host.settings.registration === 'open' && host.modules.has('registration')
  const also = anybody ? '; clients may register too' : ''
  return `there is no account yet: ${ownName()} user add NAME@${host.domain}${sameFlags(parsed)}${also}`
}

/** As it is called from where the server was started. */
function ownName(): string {
  return process.env.npm_lifecycle_event === undefined ? 'tercet' : 'npx tercet'
}

function sameFlags(parsed: Parsed): string {
  const config = parsed.value('config')
  const data = parsed.values('set').filter((setting) => setting.startsWith('data='))
  return [
    config === undefined ? '' : ` --config ${quoted(config)}`,
    ...data.map((setting) => ` --set ${quoted(setting)}`),
  ].join('')
}

function quoted(text: string): string {
  return /^[\w./=@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
