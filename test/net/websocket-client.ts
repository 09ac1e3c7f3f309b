// A WebSocket client that may do what no client may: it speaks HTTP and frames by hand.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { dial } from './ports.js'

export interface RawResponse {
  status: number
  head: string
  body: string
}

const key = 'dGhlIHNhbXBsZSBub25jZQ=='

export function upgradeRequest(headers: Record<string, string> = {}, path = '/xmpp'): string {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'xmpp',
    ...headers,
  }
  const lines = Object.entries(all)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Head and, where a length is given, body. */
export async function readResponse(socket: Socket): Promise<RawResponse> {
  let text = ''
  for (;;) {
    const response = parseResponse(text)
    if (response) return response
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString('latin1')
  }
}

function parseResponse(text: string): RawResponse | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
  const body = text.slice(end + 4)
  return body.length < length ? undefined : { status: Number(head.slice(9, 12)), head, body }
}

export async function ask(port: number, request: string): Promise<RawResponse> {
  const socket = await dial(port)
  socket.write(request, 'latin1')
  const response = await readResponse(socket)
  socket.destroy()
  return response
}

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PONG = 10

export class WebSocketPeer {
  readonly socket: Socket
  #bytes = Buffer.alloc(0)
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    for (const event of ['end', 'close']) socket.on(event, () => this.#wake())
  }

  static async open(port: number, headers?: Record<string, string>): Promise<WebSocketPeer> {
    return WebSocketPeer.on(await dial(port), headers)
  }

  static async on(socket: Socket, headers?: Record<string, string>): Promise<WebSocketPeer> {
    socket.write(upgradeRequest(headers))
    const { status, body } = await readResponse(socket)
    if (status !== 101) throw new Error(`status ${status}: ${body}`)
    return new WebSocketPeer(socket)
  }

  send(text: string, { opcode = TEXT, final = true, reserved = 0 } = {}): void {
    this.socket.write(frame(Buffer.from(text), (final ? 0x80 : 0) | reserved | opcode))
  }

  /** The next frame from the server; undefined where the connection ends instead. */
  async read(): Promise<Frame | undefined> {
    for (;;) {
      const found = this.#frame()
      if (found) return found
      if (this.socket.destroyed || this.socket.readableEnded) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #frame(): Frame | undefined {
    if (this.#bytes.length < 2) return undefined
    const short = this.#bytes[1]!
    const at = short < 126 ? 2 : short === 126 ? 4 : 10
    if (this.#bytes.length < at) return undefined
    const length =
      short < 126
        ? short
        : short === 126
          ? this.#bytes.readUInt16BE(2)
          : this.#bytes.readUInt32BE(6)
    if (this.#bytes.length < at + length) return undefined
    const opcode = this.#bytes[0]! & 15
    const payload = this.#bytes.subarray(at, at + length)
    this.#bytes = this.#bytes.subarray(at + length)
    return { opcode, payload, text: payload.toString() }
  }
}

export interface Frame {
  opcode: number
  payload: Buffer
  text: string
}

export function closeCode(frame: Frame | undefined): number | undefined {
  return frame?.opcode === CLOSE ? frame.payload.readUInt16BE(0) : undefined
}

/** RFC 6455 §5.3: masked, with a key of nought. */
export function frame(payload: Buffer, first: number): Buffer {
  const mask = Buffer.alloc(4)
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([first, 0x80 | length]), mask, payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = 0x80 | (length < 65_536 ? 126 : 127)
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeUInt32BE(length, 6)
  return Buffer.concat([head, mask, payload])
}
