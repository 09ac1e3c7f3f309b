// The way from an HTTP upgrade to a WebSocket transport (RFC 7395 §3.1): the right path and
// subprotocol, a permitted origin, a place in the limits of the real address.

import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { WebSocketServer } from 'ws'
import type { Clock } from '../ops/clock.js'
import type { ConnectionLimits } from './connection-limits.js'
import { type HttpOrigin, HttpRefusal } from './http.js'
import { ProxiedTlsFacts } from './proxy-gate.js'
import { defaultTerms, type Stall } from './socket-transport.js'
import { ConnectionTls } from './tls.js'
import type { TlsFacts, Transport } from './transport.js'
import type { Watch } from './watch.js'
import { Heartbeat, type WebSocketTerms, WebSocketTransport } from './websocket.js'

export interface EntranceOptions {
  limits: ConnectionLimits | undefined
  webSocketPath?: string
  webSocketOrigins?: readonly string[] | undefined
  stall?: Stall
  watch?: Watch
  clock?: Clock
  accept(transport: Transport): void
}

export interface Upgrade {
  readonly path: string
  readonly raw: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
  readonly origin: HttpOrigin
}

/** The largest stanza and what may stand around it */
const MAX_MESSAGE = 256 * 1024 + 1024
/** RFC 7395 §3.3.3 wants whole elements: who needs more pieces is up to something (SEC-08). */
const MAX_FRAGMENTS = 8
/** The largest message in the smallest segments that IPv6 allows is some 220. */
const MAX_CHUNKS = 256

type UpgraderOptions = NonNullable<ConstructorParameters<typeof WebSocketServer>[0]> & {
  closeTimeout: number
}

const upgraderOptions: UpgraderOptions = {
  noServer: true,
  clientTracking: false,
  // What unpacks before the parser can count is worth more to attackers than to us (SEC-05).
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_CHUNKS,
  handleProtocols: () => 'xmpp',
  closeTimeout: defaultTerms.closeTimeout,
}

const require = createRequire(import.meta.url)

export class WebSocketEntrance {
  #options: EntranceOptions
  #terms: WebSocketTerms
  #upgrader: WebSocketServer | undefined

  constructor(options: EntranceOptions) {
    this.#options = options
    this.#terms = {
      stall: options.stall ?? defaultTerms.stall,
      watch: options.watch ?? defaultTerms.watch,
      closeTimeout: defaultTerms.closeTimeout,
      heartbeat: new Heartbeat(options.clock),
      gone() {},
    }
  }

  /** Throws HttpRefusal. */
  enter(upgrade: Upgrade): void {
    const { raw, socket, head, origin } = upgrade
    this.#check(upgrade)
    const counted = this.#admit(upgrade)
    if (counted) socket.once('close', () => this.#options.limits?.release(origin.remote.address))
    this.#upgrader ??= newUpgrader()
    this.#upgrader.handleUpgrade(raw, socket, head, (webSocket) => {
      const transport = new WebSocketTransport(
        webSocket,
        { socket, remote: origin.remote },
        this.#terms,
      )
      transport.tls = tlsOf(socket, origin)
      this.#options.accept(transport)
    })
  }

  #check({ path, raw }: Upgrade): void {
    const { webSocketPath = '/xmpp', webSocketOrigins } = this.#options
    if (path !== webSocketPath) throw new HttpRefusal(404, 'not found')
    const offered = (raw.headers['sec-websocket-protocol'] ?? '').split(',')
    // RFC 7395 §3.1
    if (!offered.some((name) => name.trim() === 'xmpp')) {
      throw new HttpRefusal(400, "the subprotocol 'xmpp' is wanted")
    }
    const { origin } = raw.headers
    if (webSocketOrigins && origin !== undefined && !webSocketOrigins.includes(origin)) {
      throw new HttpRefusal(403, 'not from this origin')
    }
  }

  /** Connections of a proxy are not counted when they are accepted: here its client is. */
  #admit({ origin }: Upgrade): boolean {
    const { limits } = this.#options
    if (!limits || !origin.uncounted) return false
    if (!limits.admit(origin.remote.address)) throw new HttpRefusal(429, 'too many connections')
    return true
  }
}

/** With the first who comes: a start need not wait for it. At once, because nobody listens to the socket now. */
function newUpgrader(): WebSocketServer {
  const ws = require('ws') as typeof import('ws')
  return new ws.WebSocketServer(upgraderOptions)
}

function tlsOf(socket: Socket, origin: HttpOrigin): TlsFacts | undefined {
  if (socket instanceof TLSSocket) return new ConnectionTls(socket)
  return origin.secure ? new ProxiedTlsFacts(toldByProxy) : undefined
}

const toldByProxy = {
  protocol: 'unknown',
  cipher: 'unknown',
  serverName: undefined,
  alpn: undefined,
}
