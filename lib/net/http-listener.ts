// A port for HTTP or HTTPS: routes for requests, `/xmpp` for WebSocket. Limits per address, the
// header of a trusted proxy and TLS come before HTTP sees the first byte, the same way as for TCP.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../ops/clock.js'
import type { Certificates } from './certificate-store.js'
import type { ConnectionLimits } from './connection-limits.js'
import { type HttpOrigin, HttpRefusal, HttpRequest, hostOf, type Routes } from './http.js'
import { HttpDoor } from './http-door.js'
import { canonicalPath } from './http-path.js'
import { type Listener, listenOn, type Place, portOf, stopListening } from './listener.js'
import type { Stall } from './socket-transport.js'
import type { Transport } from './transport.js'
import type { TrustedProxies } from './trusted-proxies.js'
import type { Watch } from './watch.js'
import { WebSocketEntrance } from './websocket-entrance.js'

export interface HttpListenOptions extends Place {
  /** Given: HTTPS */
  certificates?: Certificates
  routes: Routes
  /** Undefined: none */
  limits: ConnectionLimits | undefined
  proxies: TrustedProxies
  /** Where WebSocket is offered; '/xmpp' unless told otherwise */
  webSocketPath?: string
  /** Origins (RFC 6454) that pages may connect from; undefined: all, since nothing here rides on cookies. */
  webSocketOrigins?: readonly string[] | undefined
  stall?: Stall
  watch?: Watch
  clock?: Clock
  handshakeTimeout?: number
  accept(transport: Transport): void
  /** A route threw what is no HttpRefusal. */
  failed(error: unknown): void
}

export interface HttpListener extends Listener {
  readonly secure: boolean
}

const MAX_HEADER_BYTES = 16 * 1024
const MAX_HEADERS = 100
const HEADERS_TIMEOUT = 10_000
const CLOSE_GRACE = 5_000
/** Uploads over slow lines */
const REQUEST_TIMEOUT = 900_000

export async function listenHttp(options: HttpListenOptions): Promise<HttpListener> {
  const listener = new HttpPort(options)
  await listener.open()
  return listener
}

class HttpPort implements HttpListener {
  port = 0
  #options: HttpListenOptions
  #server: Server
  #door: HttpDoor
  #entrance: WebSocketEntrance

  constructor(options: HttpListenOptions) {
    this.#options = options
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 5_000,
    })
    // Node would leave out what is over its own limit without a word: we count instead (SEC-08).
    this.#server.maxHeadersCount = 0
    this.#door = new HttpDoor(this.#server, options)
    this.#entrance = new WebSocketEntrance(options)
    this.#server.on('request', (request, response) => this.#request(request, response))
    this.#server.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket as Socket, head),
    )
  }

  get secure(): boolean {
    return this.#options.certificates !== undefined
  }

  async open(): Promise<void> {
    await listenOn(this.#server, this.#options, () => {})
    this.port = portOf(this.#server)
  }

  /** Requests under way get a moment: a slow upload does not hold up who wants to stop. */
  async close(): Promise<void> {
    const stopped = stopListening(this.#server)
    this.#server.closeIdleConnections()
    const { clock = systemClock } = this.#options
    const grace = clock.after(CLOSE_GRACE, () => this.#server.closeAllConnections())
    await stopped
    grace.cancel()
  }

  #request(raw: IncomingMessage, response: ServerResponse): void {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    this.#answer(raw, response).catch((error: unknown) => {
      if (!(error instanceof HttpRefusal)) this.#options.failed(error)
      refuse(
        response,
        error instanceof HttpRefusal ? error : new HttpRefusal(500, 'internal error'),
      )
    })
  }

  async #answer(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = readTarget(raw)
    const found = this.#options.routes.find(raw.method ?? '', target.path, hostOf(raw))
    if (found === 'no path') throw new HttpRefusal(404, 'not found')
    if (!('route' in found)) {
      response.setHeader('Allow', found.join(', '))
      throw new HttpRefusal(405, 'method not allowed')
    }
    const request = new HttpRequest(raw, target, this.#origin(raw))
    request.rest = found.rest
    await found.route.handle(request, response)
  }

  #origin(raw: IncomingMessage): HttpOrigin {
    return this.#door.originOf(raw)
  }

  #upgrade(raw: IncomingMessage, socket: Socket, head: Buffer): void {
    try {
      const { path } = readTarget(raw)
      this.#entrance.enter({ path, raw, socket, head, origin: this.#origin(raw) })
    } catch (error) {
      if (!(error instanceof HttpRefusal)) this.#options.failed(error)
      refuseUpgrade(socket, error instanceof HttpRefusal ? error : new HttpRefusal(500))
    }
  }
}

function readTarget(raw: IncomingMessage) {
  if (raw.rawHeaders.length > MAX_HEADERS * 2) throw new HttpRefusal(431, 'too many headers')
  const target = canonicalPath(raw.url ?? '')
  if (!target) throw new HttpRefusal(400, 'this is no path')
  return target
}

function refuse(response: ServerResponse, { status, message }: HttpRefusal): void {
  if (response.headersSent) return void response.destroy()
  const body = `${message}\n`
  const headers: Record<string, string | number> = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  }
  // What is left of a body that nobody reads must not count as the next request.
  if (!response.req.complete) headers.Connection = 'close'
  response.writeHead(status, headers).end(body)
}

function refuseUpgrade(socket: Socket, { status, message }: HttpRefusal): void {
  const body = message === '' ? '' : `${message}\n`
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  socket.on('error', () => {})
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () =>
    socket.destroy(),
  )
}
