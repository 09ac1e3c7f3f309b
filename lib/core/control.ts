// The control socket: a unix socket in the data folder that only this user may open. One JSON request
// a line, one JSON answer a line, in order. It is also the sign that a server runs on this folder: a
// live one refuses a second server, a stale one is replaced. What requests mean is its opener's.

import { existsSync, unlinkSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { Server as NetServer, Socket } from 'node:net'
import { join, relative } from 'node:path'
import { ConfigError, StanzaError } from '../xmpp/errors.js'
import type { ConfigFault } from '../xmpp/errors.js'

export interface ControlRequest {
  readonly command: string
  readonly args: Readonly<Record<string, unknown>>
  readonly host?: string
}

export interface ControlRefusal {
  readonly condition: string
  readonly text: string
  readonly faults?: readonly ConfigFault[]
}
export type ControlAnswer = { readonly result: unknown } | { readonly error: ControlRefusal }

export interface ControlOptions {
  /** The data folder */
  readonly folder: string
  answer(request: ControlRequest): Promise<unknown>
  /** A bug: the asker learns no more than that. */
  failed(error: unknown): void
}

const LONGEST_REQUEST = 1024 * 1024
const MOST_CONNECTIONS = 16
const SILENT_FOR = 60_000
/** What a unix socket's address may have; one byte ends it. */
const LONGEST_ADDRESS = 107

/** Another server runs on the same data folder. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning'
}

export function controlPath(folder: string): string {
  const path = join(folder, 'control.sock')
  if (Buffer.byteLength(path) <= LONGEST_ADDRESS) return path
  // A deep folder does not fit; seen from here it often does.
  const short = relative(process.cwd(), path)
  if (Buffer.byteLength(short) <= LONGEST_ADDRESS) return short
  throw new ConfigError([
    {
      message: `${folder} is too long a path for a control socket: use a shorter one`,
      path: 'data',
    },
  ])
}

export class ControlSocket {
  readonly #server: NetServer
  readonly #options: ControlOptions
  readonly #sockets = new Set<Socket>()

  static async open(options: ControlOptions): Promise<ControlSocket> {
    const path = controlPath(options.folder)
    if (existsSync(path)) {
      if (await isAlive(path))
        throw new AlreadyRunning(`a server is running on ${options.folder} already`)
      unlinkSync(path)
    }
    const control = new ControlSocket(options)
    await control.#listen(path)
    return control
  }

  private constructor(options: ControlOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  async #listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      // The socket is bound while listen runs: it never exists with wider rights than 0600.
      const mask = process.umask(0o177)
      try {
        this.#server.listen({ path }, resolve)
      } finally {
        process.umask(mask)
      }
    })
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    let waiting = ''
    let busy = Promise.resolve()
    socket.setEncoding('utf8')
    socket.setTimeout(SILENT_FOR, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: string) => {
      const lines = (waiting + chunk).split('\n')
      waiting = lines.pop()!
      if (waiting.length > LONGEST_REQUEST || lines.some((line) => line.length > LONGEST_REQUEST)) {
        socket.destroy()
        return
      }
      // One at a time, and no more is read meanwhile: what a client can pile up is one chunk.
      if (lines.length > 0) socket.pause()
      for (const line of lines) busy = busy.then(() => this.#line(socket, line))
      if (lines.length > 0) busy.then(() => socket.resume())
    })
  }

  async #line(socket: Socket, line: string): Promise<void> {
    if (socket.destroyed) return
    socket.setTimeout(0)
    const answer = await this.#answer(line)
    if (socket.destroyed) return
    socket.write(`${JSON.stringify(answer)}\n`)
    socket.setTimeout(SILENT_FOR)
  }

  async #answer(line: string): Promise<ControlAnswer> {
    try {
      return { result: (await this.#options.answer(readRequest(line))) ?? null }
    } catch (error) {
      return { error: refusalOf(error, this.#options.failed) }
    }
  }

  /** Node removes the socket's file when it closes. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.end()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroySoon()
    })
  }
}

/** What the asker learns; a bug is told to `failed`. */
export function refusalOf(error: unknown, failed: (error: unknown) => void): ControlRefusal {
  if (error instanceof StanzaError)
    return { condition: error.condition, text: error.text ?? error.condition }
  if (error instanceof ConfigError)
    return { condition: 'configuration', text: error.message, faults: error.faults }
  failed(error)
  return { condition: 'internal-server-error', text: "a bug: the server's log has more" }
}

function readRequest(line: string): ControlRequest {
  let read: unknown
  try {
    read = JSON.parse(line)
  } catch {
    throw new StanzaError('bad-request', 'a request is one line of JSON')
  }
  const { command, args = {}, host } = (isObject(read) ? read : {}) as Record<string, unknown>
  if (typeof command !== 'string') throw new StanzaError('bad-request', 'a request has a command')
  if (!isObject(args)) throw new StanzaError('bad-request', 'args are an object')
  if (host !== undefined && typeof host !== 'string')
    throw new StanzaError('bad-request', 'host is a domain')
  return { command, args, ...(host !== undefined && { host }) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT' || error.code === 'ENOTSOCK')
        resolve(false)
      else reject(error)
    })
  })
}
