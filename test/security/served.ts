// A whole server in this process on ports of its own, with its real modules and real logins, for
// checks that go through sockets.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { Server } from '../../lib/core/server.js'
import type { HostSettings, ServerSettings } from '../../lib/core/settings.js'
import type { Clock } from '../../lib/ops/clock.js'
import { createLog } from '../../lib/ops/log.js'
import type { Element } from '../../lib/xmpp/element.js'
import { dial, dialTls } from '../net/ports.js'
import { overTcp, overWebSocket, type Peer, type SecureOptions, type Way, ways } from './driver.js'

export const DOMAIN = 'capulet.example'
export const OTHER = 'montague.example'
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind'

export interface ServedOptions {
  limits?: 'default' | 'off'
  host?: Partial<HostSettings>
  people?: readonly string[]
  proxies?: readonly string[]
  clock?: Clock
}

export function passwordOf(name: string): string {
  return `secret of ${name}`
}

export class Served {
  readonly server: Server
  readonly log: string[]

  constructor(server: Server, log: string[]) {
    this.server = server
    this.log = log
  }

  /** A connection on which nothing was said. */
  async connects(way: Way, headers?: Record<string, string>): Promise<Peer> {
    if (way === 'TCP') return overTcp(this.server.ports.c2s[0]!)
    return overWebSocket(await dial(this.server.ports.http[0]!), headers)
  }

  /** As a proxy hands it on that we trust: from that address, with TLS ended there or not at all. */
  async connectsFrom(way: Way, address: string, tls: boolean): Promise<Peer> {
    if (way === 'TCP') {
      const peer = await overTcp(this.server.ports.c2s[0]!)
      peer.raw(`PROXY TCP4 ${address} 127.0.0.1 40000 5222\r\n`)
      return peer
    }
    const proto = tls ? 'https' : 'http'
    return this.connects(way, { 'X-Forwarded-For': address, 'X-Forwarded-Proto': proto })
  }

  /** The same under TLS: after STARTTLS, or HTTPS. */
  async connectsSecurely(way: Way, options: SecureOptions = {}): Promise<Peer> {
    if (way === 'WebSocket') {
      const { injected: _, ...tls } = options
      const port = this.server.ports.https[0]!
      return overWebSocket(await dialTls({ port, servername: DOMAIN, ...tls }))
    }
    const peer = await overTcp(this.server.ports.c2s[0]!)
    await peer.secures(DOMAIN, options)
    return peer
  }

  /** A stream with its features, before login. */
  async stranger(way: Way, domain = DOMAIN): Promise<{ peer: Peer; features: Element }> {
    const peer = await this.connects(way)
    peer.opens(domain)
    return { peer, features: await peer.finds('features') }
  }

  async logsIn(way: Way, name: string, resource = 'phone'): Promise<Person> {
    const peer = await this.connects(way)
    peer.opens(DOMAIN)
    await peer.finds('features')
    return logIn(peer, name, resource)
  }

  /** Sees nobody and nothing of those who are gone; waits until the server has noticed them too. */
  async emptied(): Promise<void> {
    const limit = Date.now() + 10_000
    while (this.server.streams.size > 0 && Date.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await this.server.settled()
  }

  /** Nobody is harmed: a ping of somebody else is answered. */
  async answers(person: Person): Promise<boolean> {
    const answer = await person.peer.asks('get', DOMAIN, "<ping xmlns='urn:xmpp:ping'/>")
    return answer.attrs.type === 'result'
  }
}

export interface Person {
  readonly peer: Peer
  readonly jid: string
}

export async function authenticate(peer: Peer, name: string, password = passwordOf(name)) {
  const initial = Buffer.from(`\0${name}\0${password}`).toString('base64')
  peer.sends(`<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${initial}</auth>`)
  const answer = await peer.next()
  if (answer?.getName() !== 'success') throw new Error(`${name} could not log in: ${answer}`)
}

export async function logIn(peer: Peer, name: string, resource = 'phone'): Promise<Person> {
  await authenticate(peer, name)
  peer.opens(DOMAIN)
  await peer.finds('features')
  return { peer, jid: await bind(peer, resource) }
}

export async function bind(peer: Peer, resource: string): Promise<string> {
  const inside = resource === '' ? '' : `<resource>${resource}</resource>`
  const answer = await peer.asks('set', undefined, `<bind xmlns='${NS_BIND}'>${inside}</bind>`)
  const jid = answer.getChild('bind')?.getChildText('jid')
  if (!jid) throw new Error(`not bound: ${answer}`)
  return jid
}

export async function serve(t: Test, options: ServedOptions = {}): Promise<Served> {
  const data = mkdtempSync(join(tmpdir(), 'tercet-served-'))
  const lines: string[] = []
  const log = createLog({
    level: 'info',
    format: 'text',
    write: (line) => void lines.push(line),
    now: () => Date.now(),
  })
  const server = await Server.start({
    settings: settings(options, data),
    log,
    ...(options.clock ? { clock: options.clock } : {}),
  })
  t.teardown(async () => {
    await server.stop()
    rmSync(data, { recursive: true, force: true })
    const bugs = lines.filter((line) => / a bug in /.test(line))
    if (bugs.length > 0) console.error(bugs.join('\n'))
    if (bugs.length > 0) throw new Error(bugs.join('\n'))
  })
  for (const name of options.people ?? ['romeo', 'juliet'])
    await server.run(DOMAIN, 'user add', { jid: `${name}@${DOMAIN}`, password: passwordOf(name) })
  return new Served(server, lines)
}

function settings(options: ServedOptions, data: string): ServerSettings {
  const anywhere = [{ address: '127.0.0.1', port: 0 }]
  const host = (domain: string): HostSettings => ({
    domain,
    encryption: 'optional',
    registration: 'closed',
    passwordRounds: 1,
    scramSha1: true,
    admins: [`nurse@${DOMAIN}`],
    tls: undefined,
    modules: {},
    ...options.host,
  })
  return {
    hosts: [host(DOMAIN), host(OTHER)],
    data,
    database: 'sqlite:memory',
    durability: 'crash',
    limits: options.limits ?? 'off',
    listen: {
      c2s: anywhere,
      c2s_tls: anywhere,
      http: anywhere,
      https: anywhere,
      proxies: options.proxies ?? [],
    },
  }
}

/** The same check, over either way in. */
export function overBoth(title: string, check: (t: Test, way: Way) => Promise<unknown>): void {
  for (const way of ways) test(`${title}; over ${way}`, (t) => check(t, way))
}
