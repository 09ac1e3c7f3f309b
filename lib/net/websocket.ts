// XMPP over WebSocket (RFC 7395): one element a message, text only. `ws` reads frames, checks UTF-8
// and speaks the closing handshake; frames that leave are made here, so that all messages of a turn
// are one write. The stream sends <close/> (RFC 7395 §3.6) before it closes the transport.

import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { type Clock, systemClock } from '../ops/clock.js'
import type { Wire } from '../xmpp/element.js'
import { StreamError } from '../xmpp/errors.js'
import {
  ENDING,
  OPEN,
  readerOf,
  SocketTransport,
  setReader,
  type TransportTerms,
} from './socket-transport.js'
import type { Remote, TlsFacts } from './transport.js'

export interface WebSocketTerms extends TransportTerms {
  readonly heartbeat: Heartbeat
}

const NORMAL = 1000
const UNSUPPORTED = 1003
const WEBSOCKET_OPEN = 1
const PING = '\x89\x00'

export class WebSocketTransport extends SocketTransport {
  readonly framing = 'message'
  declare readonly terms: WebSocketTerms
  heard = true
  #webSocket: WebSocket
  #held: Buffer[] = []
  #giving = false

  constructor(
    webSocket: WebSocket,
    from: { socket: Socket; remote: Remote },
    terms: WebSocketTerms,
  ) {
    super(from.socket, from.remote, terms)
    this.#webSocket = webSocket
    setReader(webSocket, this)
    setReader(from.socket, this)
    from.socket.on('drain', onDrain)
    webSocket.on('message', onMessage)
    webSocket.on('pong', onPong)
    webSocket.on('error', onError)
    webSocket.on('close', onClose)
    terms.heartbeat.add(this)
  }

  override write(wire: Wire): void {
    if (this.#open) super.write(frame(wire))
  }

  override flush(): void {
    // After a closing frame no other may follow (RFC 6455 §5.5.1).
    if (this.#open || this.state >= ENDING) super.flush()
    else this.discard()
  }

  override pause(): void {
    this.paused = true
    this.#webSocket.pause()
  }

  override resume(): void {
    this.paused = false
    this.#giveHeld()
    if (!this.paused) this.#webSocket.resume()
  }

  secure(): Promise<TlsFacts> {
    return Promise.reject(new StreamError('undefined-condition', 'TLS comes before WebSocket'))
  }

  override close(): void {
    this.end()
    this.#webSocket.resume()
  }

  received(message: Buffer): void {
    this.heard = true
    if (this.state !== OPEN) return
    if (this.paused || this.#giving) this.#held.push(message)
    else this.receiver.message?.(message)
  }

  binary(): void {
    this.end(UNSUPPORTED)
  }

  ping(): void {
    if (this.#open) super.write(PING)
  }

  override closed(): void {
    this.terms.heartbeat.remove(this)
    this.#held.length = 0
    super.closed()
  }

  protected override end(code = NORMAL): void {
    if (this.state >= ENDING) return
    this.flush()
    if (this.state >= ENDING) return
    this.state = ENDING
    this.#webSocket.close(code)
    this.watchFor(this.terms.closeTimeout)
  }

  get #open(): boolean {
    return this.state < ENDING && this.#webSocket.readyState === WEBSOCKET_OPEN
  }

  // Messages that came in one segment are all read at once, whatever the stream wishes: they wait here.
  #giveHeld(): void {
    if (this.#giving) return
    this.#giving = true
    while (!this.paused && this.state === OPEN && this.#held.length > 0) {
      this.receiver.message?.(this.#held.shift()!)
    }
    this.#giving = false
  }
}

/** RFC 6455 §5.2: a whole text message from a server, unmasked. */
function frame(wire: Wire): Wire {
  const { length } = wire
  if (length < 126) return `\x81${String.fromCharCode(length)}${wire}`
  if (length < 65_536) return `\x81\x7e${String.fromCharCode(length >> 8, length & 0xff)}${wire}`
  const head = Buffer.alloc(8)
  head.writeBigUInt64BE(BigInt(length))
  return `\x81\x7f${head.toString('latin1')}${wire}`
}

const INTERVAL = 30_000

/** Pings everybody every 30 s from one timer; who says nothing until the next round is gone. */
export class Heartbeat {
  #clock: Clock
  #beating = new Set<WebSocketTransport>()
  #running = false

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  add(transport: WebSocketTransport): void {
    this.#beating.add(transport)
    if (this.#running) return
    this.#running = true
    this.#clock.after(INTERVAL, this.#beat)
  }

  remove(transport: WebSocketTransport): void {
    this.#beating.delete(transport)
  }

  #beat = (): void => {
    for (const transport of this.#beating) {
      if (transport.heard) transport.ping()
      else transport.destroyFor(new Error('no answer to a ping'))
      transport.heard = false
    }
    this.#running = this.#beating.size > 0
    if (this.#running) this.#clock.after(INTERVAL, this.#beat)
  }
}

function transportOf(holder: object): WebSocketTransport | undefined {
  return readerOf(holder) as WebSocketTransport | undefined
}

function onMessage(this: WebSocket, message: Buffer, isBinary: boolean): void {
  if (isBinary) transportOf(this)?.binary()
  else transportOf(this)?.received(message)
}

function onPong(this: WebSocket): void {
  const transport = transportOf(this)
  if (transport) transport.heard = true
}

function onError(this: WebSocket, error: Error): void {
  transportOf(this)?.failed(error)
}

function onClose(this: WebSocket): void {
  transportOf(this)?.closed()
}

function onDrain(this: Socket): void {
  transportOf(this)?.receiver.drained?.()
}
