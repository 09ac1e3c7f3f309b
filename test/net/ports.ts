// Opens ports on loopback for the tests of this folder and records what comes through them.

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { Certificates } from '../../lib/net/certificate-store.js'
import { selfSignedFiles } from '../../lib/net/certificates.js'
import { Routes } from '../../lib/net/http.js'
import { type HttpListenOptions, listenHttp } from '../../lib/net/http-listener.js'
import type { Listener } from '../../lib/net/listener.js'
import { type ListenOptions, listenTcp } from '../../lib/net/tcp.js'
import type { Transport } from '../../lib/net/transport.js'
import { TrustedProxies } from '../../lib/net/trusted-proxies.js'

export interface Testing {
  testdir(): string
  teardown(close: () => unknown): void
}

/** One end of a conversation: what came is text, and one can wait for it. */
export class Recorder {
  readonly transport: Transport
  text = ''
  messages: string[] = []
  ends: (Error | undefined)[] = []
  drains = 0
  #waiting: (() => void)[] = []

  constructor(transport: Transport) {
    this.transport = transport
    transport.receiver = this
  }

  bytes(chunk: Buffer): void {
    this.text += chunk.toString('latin1')
    this.#wake()
  }

  message(chunk: Buffer): void {
    this.messages.push(chunk.toString('latin1'))
    this.#wake()
  }

  drained(): void {
    this.drains++
    this.#wake()
  }

  closed(reason?: Error): void {
    this.ends.push(reason)
    this.#wake()
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export class Port {
  listener!: Listener
  readonly recorders: Recorder[] = []
  #waiting: ((recorder: Recorder) => void)[] = []

  accept = (transport: Transport): void => {
    const recorder = new Recorder(transport)
    this.recorders.push(recorder)
    this.#waiting.shift()?.(recorder)
  }

  /** The next that is accepted. */
  next(): Promise<Recorder> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  get port(): number {
    return this.listener.port
  }

  close = async (): Promise<void> => {
    await this.listener.close()
    for (const { transport } of this.recorders) transport.destroy()
  }
}

let shared: Promise<Certificates> | undefined

/** One certificate for all tests of a process. */
export function localCertificates(t: Testing): Promise<Certificates> {
  shared ??= makeCertificates(t.testdir())
  return shared
}

async function makeCertificates(folder: string): Promise<Certificates> {
  const certificates = new Certificates()
  await certificates.add('localhost', await selfSignedFiles(folder, ['localhost', '127.0.0.1']))
  return certificates
}

export async function openTcp(t: Testing, options: Partial<ListenOptions> = {}): Promise<Port> {
  const port = new Port()
  port.listener = await listenTcp({
    port: 0,
    address: '127.0.0.1',
    tls: 'starttls',
    certificates: options.certificates ?? (await localCertificates(t)),
    limits: undefined,
    proxies: new TrustedProxies(),
    accept: port.accept,
    ...options,
  })
  t.teardown(port.close)
  return port
}

export async function openHttp(
  t: Testing,
  options: Partial<HttpListenOptions> = {},
): Promise<Port & { routes: Routes }> {
  const routes = options.routes ?? new Routes()
  const port = Object.assign(new Port(), { routes })
  port.listener = await listenHttp({
    port: 0,
    address: '127.0.0.1',
    limits: undefined,
    proxies: new TrustedProxies(),
    accept: port.accept,
    failed(error) {
      throw error
    },
    ...options,
    routes,
  })
  t.teardown(port.close)
  return port
}

export async function dial(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A client and what the server has of it. */
export async function meet(port: Port): Promise<{ client: Socket; server: Recorder }> {
  const [client, server] = await Promise.all([dial(port.port), port.next()])
  return { client, server }
}

export async function dialTls(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  return socket
}

export async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = ''
  while (!text.endsWith(end)) text += String((await once(socket, 'data'))[0])
  return text
}

/** Everything that still comes, until the other side is done. */
export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  await gone(socket)
  return text
}

/** However it ends. */
export async function gone(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.resume().once('close', resolve))
}
