// What all transports over a socket have in common: writes of one turn leave in one write, a peer that does not
// read is cut off, the end is told once. TCP and WebSocket differ only in what they put around the bytes.
//
// A connection brings no closure and no timer of its own: listeners are shared functions that find the
// transport on the socket. Events that Node emits while we call it are taken up by `state`.

import type { Socket } from 'node:net'
import type { Wire } from '../xmpp/element.js'
import { leave } from './leaving.js'
import type { Remote, TlsFacts, Transport, TransportReceiver } from './transport.js'
import { sharedWatch, type Watch, type Watched } from './watch.js'

/** A reader that stalls: so many bytes waiting from an earlier turn, or none taken for so long. */
export interface Stall {
  bytes: number
  ms: number
}

/** What the transports of one listener share. */
export interface TransportTerms {
  readonly stall: Stall
  readonly watch: Watch
  /** How long a peer may take to end after we have ended. */
  readonly closeTimeout: number
  /** The connection is gone; gives back its place in the limits. */
  gone(transport: SocketTransport): void
}

export const defaultTerms: TransportTerms = {
  stall: { bytes: 1024 * 1024, ms: 30_000 },
  watch: sharedWatch,
  closeTimeout: 5_000,
  gone() {},
}

export const OPEN = 0
/** Writes wait for TLS. */
export const SECURING = 1
export const ENDING = 2
export const CLOSED = 3

const owner = Symbol('reader')

/** Who gets what a socket reads: its transport, or the gate before there is one. */
export interface SocketReader {
  received(chunk: Buffer): void
}

export function readerOf(socket: object): SocketReader | undefined {
  return (socket as { [owner]?: SocketReader })[owner]
}

export function setReader(socket: object, reader: SocketReader): void {
  ;(socket as { [owner]?: SocketReader })[owner] = reader
}

function transportOf(socket: Socket): SocketTransport | undefined {
  return readerOf(socket) as SocketTransport | undefined
}

const deaf: TransportReceiver = { bytes() {}, closed() {} }

const PIECE = 900
let dirty: SocketTransport[] = []
let spare: SocketTransport[] = []

function flushDirty(): void {
  const list = dirty
  dirty = spare
  for (let i = 0; i < list.length; i++) list[i]!.flush()
  list.length = 0
  spare = list
}

export abstract class SocketTransport implements Transport, Watched {
  abstract readonly framing: 'stream' | 'message'
  readonly remote: Remote
  readonly terms: TransportTerms
  tls: TlsFacts | undefined
  receiver: TransportReceiver = deaf
  protected socket: Socket
  protected state: number = OPEN
  protected paused = false
  protected deadline = 0
  #out = ''
  #queued = false
  #watched = false
  #told = false
  #unsent = -1
  #small = true
  #reason: Error | undefined

  constructor(socket: Socket, remote: Remote, terms: TransportTerms) {
    this.socket = socket
    this.remote = remote
    this.terms = terms
  }

  get buffered(): number {
    return this.#out.length + this.socket.writableLength
  }

  /** A whole chunk from the socket. */
  abstract received(chunk: Buffer): void

  write(wire: Wire): void {
    if (this.state >= ENDING) return
    this.#out += wire
    if (this.#queued) return
    this.#queued = true
    if (dirty.push(this) === 1) setImmediate(flushDirty)
  }

  flush(): void {
    this.#queued = false
    if (this.#out === '' || this.state === CLOSED) return
    const waiting = this.socket.writableLength
    const { bytes } = this.terms.stall
    // One turn may write a lot to a peer that reads; what matters is what an earlier turn left.
    if (waiting > 0 && waiting + this.#out.length > bytes) this.#stalled()
    else if (this.state === SECURING) this.#hold(bytes)
    else this.#send(waiting)
  }

  #send(waiting: number): void {
    const out = this.#out
    this.#out = ''
    if (this.tls && this.#small) this.#sendInPieces(out)
    else this.socket.write(out, 'latin1')
    if (waiting === 0 && this.socket.writableLength > 0) this.#awaitDrain()
  }

  // Node's TLS keeps 16 KiB for good for whoever once wrote over 1 KiB at a time: a login need not.
  #sendInPieces(out: string): void {
    this.#small = out.length <= 3 * PIECE
    const size = this.#small ? PIECE : out.length
    for (let at = 0; at < out.length; at += size)
      this.socket.write(out.slice(at, at + size), 'latin1')
  }

  pause(): void {
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    this.paused = false
    if (this.state === OPEN) this.socket.resume()
  }

  abstract secure(): Promise<TlsFacts>

  close(): void {
    if (this.state >= ENDING) return
    this.end()
    // To see the peer's end one has to read.
    this.socket.resume()
  }

  destroy(): void {
    this.destroyFor(undefined)
  }

  destroyFor(reason: Error | undefined): void {
    this.#reason ??= reason
    this.#out = ''
    this.state = Math.max(this.state, ENDING)
    this.socket.destroy()
  }

  check(tick: number): boolean {
    if (this.state === CLOSED) return this.unwatch()
    if (this.state !== OPEN) return tick < this.deadline || this.overdue()
    if (this.socket.writableLength === 0) return this.unwatch()
    if (this.#progressed()) this.deadline = this.terms.watch.in(this.terms.stall.ms)
    if (tick >= this.deadline) this.#stalled()
    return true
  }

  protected discard(): void {
    this.#queued = false
    this.#out = ''
  }

  protected watchFor(ms: number): void {
    this.deadline = this.terms.watch.in(ms)
    if (this.#watched) return
    this.#watched = true
    this.terms.watch.add(this)
  }

  protected unwatch(): false {
    this.#watched = false
    return false
  }

  /** Time is up for a handshake or for the peer's end. */
  protected overdue(): boolean {
    this.destroyFor(this.state === SECURING ? new Error('TLS handshake timed out') : undefined)
    return this.unwatch()
  }

  /** Whatever was written leaves, then the end. */
  protected end(): void {
    if (this.state === OPEN) this.flush()
    if (this.state >= ENDING) return
    this.state = ENDING
    this.socket.end()
    this.watchFor(this.terms.closeTimeout)
  }

  protected own(socket: Socket): void {
    setReader(socket, this)
    this.socket = socket
    socket.on('error', onError)
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    socket.on('close', onClose)
  }

  /** The socket now lies below another one. */
  protected disown(socket: Socket): void {
    socket.off('end', onEnd)
    socket.off('drain', onDrain)
    socket.off('close', onClose)
  }

  failed(error: Error): void {
    this.#reason ??= error
  }

  /** The peer has ended: answers that are already written still go out, later ones have no reader. */
  ended(): void {
    if (this.state === SECURING) {
      this.destroy()
    } else {
      this.end()
      this.#tell()
    }
  }

  closed(): void {
    this.state = CLOSED
    this.#out = ''
    this.#tell()
    this.terms.gone(this)
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    const { receiver } = this
    this.receiver = deaf
    receiver.closed(this.#reason)
  }

  /** Until TLS is there nothing more leaves. */
  #hold(most: number): void {
    if (this.#out.length > most) this.#stalled()
  }

  #awaitDrain(): void {
    this.#unsent = -1
    this.watchFor(this.terms.stall.ms)
  }

  /** Between two ticks the kernel has taken something. */
  #progressed(): boolean {
    const unsent = unsentBy(this.socket)
    const changed = this.#unsent !== -1 && unsent !== this.#unsent
    this.#unsent = unsent
    return changed
  }

  #stalled(): void {
    this.destroyFor(new Error('the peer does not read'))
  }
}

/** What the kernel has not taken of the write under way: libuv knows, and Node shows it on the handle. */
function unsentBy(socket: Socket): number {
  const { _handle, _parent } = socket as { _handle?: { writeQueueSize?: number }; _parent?: Socket }
  return _parent ? unsentBy(_parent) : (_handle?.writeQueueSize ?? 0)
}

function onError(this: Socket, error: Error): void {
  transportOf(this)?.failed(error)
}

function onEnd(this: Socket): void {
  leave(() => transportOf(this)?.ended())
}

function onDrain(this: Socket): void {
  transportOf(this)?.receiver.drained?.()
}

function onClose(this: Socket): void {
  leave(() => transportOf(this)?.closed())
}
