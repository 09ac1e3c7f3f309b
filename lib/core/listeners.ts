// Opens the ports of the configuration and hands what connects to the server: certificates of the
// hosts, limits per address, the HTTP routes. A certificate is made where none is configured.

import { join } from 'node:path'
import { selfSignedFiles } from '../net/certificates.js'
import { type CertificateFiles, Certificates } from '../net/certificate-store.js'
import { ConnectionLimits } from '../net/connection-limits.js'
import { Door } from '../net/door.js'
import { type HttpListener, listenHttp } from '../net/http-listener.js'
import type { Listener } from '../net/listener.js'
import { listenTcp } from '../net/tcp.js'
import { TrustedProxies } from '../net/trusted-proxies.js'
import { systemClock } from '../ops/clock.js'
import { ConfigError } from '../xmpp/errors.js'
import type { Server } from './server.js'
import type { HostSettings, ListenPlace } from './settings.js'

type Kind = 'c2s' | 'c2s_tls' | 'http' | 'https'

const forClients: readonly Kind[] = ['c2s', 'c2s_tls']

export class Listeners {
  readonly ports: Record<Kind, number[]> = { c2s: [], c2s_tls: [], http: [], https: [] }
  readonly #server: Server
  readonly #certificates: Certificates
  readonly #proxies: TrustedProxies
  readonly #limits: ConnectionLimits | undefined
  // Sockets have a time of their own.
  readonly #door = new Door({ clock: systemClock })
  #open: { readonly kind: Kind; readonly listener: Listener | HttpListener }[] = []

  static async open(server: Server): Promise<Listeners> {
    const listeners = new Listeners(server)
    try {
      await listeners.#begin()
    } catch (error) {
      await listeners.close()
      throw error
    }
    return listeners
  }

  private constructor(server: Server) {
    this.#server = server
    this.#proxies = new TrustedProxies(server.settings.listen.proxies)
    this.#limits =
      server.settings.limits === 'off' ? undefined : new ConnectionLimits({ clock: server.clock })
    this.#certificates = new Certificates({
      clock: server.clock,
      onProblem: (domain, problem) =>
        server.log.error('a certificate could not be read again; the old one stays', {
          domain,
          problem,
        }),
      onReload: (domain) => server.log.info('a certificate was read again', { domain }),
    })
  }

  async #begin(): Promise<void> {
    const { listen } = this.#server.settings
    await this.#certify()
    for (const kind of ['c2s', 'c2s_tls', 'http', 'https'] as const) {
      for (const place of listen[kind]) await this.#listen(kind, place)
    }
  }

  /** A certificate for every host, where a listener shows one. */
  async #certify(): Promise<void> {
    const { listen } = this.#server.settings
    if ([listen.c2s, listen.c2s_tls, listen.https].every((places) => places.length === 0)) return
    for (const { settings } of this.#server.hosts.values()) {
      await this.#certificates.add(settings.domain, await this.#filesOf(settings))
    }
  }

  #filesOf({ tls, domain }: HostSettings): Promise<CertificateFiles> | CertificateFiles {
    return (
      tls ??
      selfSignedFiles(join(this.#server.settings.data, 'certificates'), [domain, `*.${domain}`])
    )
  }

  async #listen(kind: Kind, place: ListenPlace): Promise<void> {
    try {
      const listener = await this.#start(kind, place)
      this.#open.push({ kind, listener })
      this.ports[kind].push(listener.port)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined || !(code in reasons)) throw error
      const where =
        place.address === undefined ? `port ${place.port}` : `${place.address}:${place.port}`
      throw new ConfigError([
        { message: `${where} cannot be opened: ${reasons[code]}`, path: `listen.${kind}` },
      ])
    }
  }

  #start(kind: Kind, place: ListenPlace): Promise<Listener | HttpListener> {
    const options = {
      port: place.port,
      ...(place.address === undefined ? {} : { address: place.address }),
      shared: (this.#server.settings.workers ?? 1) > 1,
      certificates: this.#certificates,
      limits: this.#limits,
      proxies: this.#proxies,
      accept: (transport: Parameters<Server['accept']>[0]) => void this.#server.accept(transport),
    }
    const requestClientCertificate = [...this.#server.hosts.values()].some(
      ({ settings }) => settings.tls?.clientCa !== undefined,
    )
    const tcp = { ...options, requestClientCertificate, door: this.#door }
    if (kind === 'c2s') return listenTcp({ ...tcp, tls: 'starttls' })
    if (kind === 'c2s_tls') return listenTcp({ ...tcp, tls: 'direct', alpn: 'xmpp-client' })
    const { certificates, ...clear } = options
    const failed = (error: unknown) => this.#server.failed('a page', error)
    const http = { ...clear, routes: this.#server.routes, failed }
    return listenHttp(kind === 'https' ? { ...http, certificates } : http)
  }

  /** Certificates are read again at once; ports stay as they are. */
  async reload(): Promise<string[]> {
    const before = new Set(this.#certificates.domains)
    await this.#certify()
    await this.#certificates.refresh(true)
    return this.#certificates.domains
      .filter((domain) => !before.has(domain))
      .map((domain) => `a certificate for ${domain}`)
  }

  async stopAccepting(): Promise<void> {
    await Promise.all(this.#open.map(({ listener }) => listener.close()))
    this.#open = []
  }

  /** No new clients over TCP; pages are served, those about health among them. */
  pause(): void {
    const closing = this.#open.filter(({ kind }) => forClients.includes(kind))
    this.#open = this.#open.filter(({ kind }) => !forClients.includes(kind))
    for (const { kind, listener } of closing) {
      this.ports[kind] = []
      listener.close().catch((error: unknown) => this.#server.failed('a port', error))
    }
  }

  /** Clients again, after `pause`. */
  async resume(): Promise<void> {
    for (const kind of forClients)
      for (const place of this.#server.settings.listen[kind]) await this.#listen(kind, place)
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    this.#certificates.close()
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not open it (ports below 1024 need a capability)',
  EADDRNOTAVAIL: 'this machine has no such address',
}
