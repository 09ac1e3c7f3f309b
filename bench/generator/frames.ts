// WebSocket framing for a client (RFC 6455), as much as RFC 7395 needs: text frames out, whole
// messages in, pings answered. The masking key is zero: lawful on the wire, no protection, and no
// cost, which is right for an instrument that talks to loopback only.

const TEXT = 0x81
const PONG = 0x8a
const MASKED = 0x80
const ZERO_KEY = '\0\0\0\0'

function frame(first: number, payload: string): string {
  const length = payload.length
  const head =
    length < 126
      ? String.fromCharCode(first, MASKED | length)
      : String.fromCharCode(first, MASKED | 126, length >> 8, length & 255)
  return head + ZERO_KEY + payload
}

/** Payloads (latin1 views of UTF-8) of up to 65,535 bytes; the generator sends nothing longer. */
export const textFrame = (payload: string) => frame(TEXT, payload)

export interface FrameSink {
  stanza(bytes: Buffer, start: number, end: number): void
  streamClosed(): void
  reply(frame: string): void
}

type Header = { opcode: number; start: number; end: number; final: boolean }

export class FrameReader {
  private readonly sink: FrameSink
  private rest: Buffer = Buffer.alloc(0)
  private parts: Buffer[] = []

  constructor(sink: FrameSink) {
    this.sink = sink
  }

  feed(chunk: Buffer, length: number): void {
    const fresh = chunk.subarray(0, length)
    const bytes = this.rest.length === 0 ? fresh : Buffer.concat([this.rest, fresh])
    let at = 0
    for (let header = readHeader(bytes, at); header; header = readHeader(bytes, at)) {
      this.accept(bytes, header)
      at = header.end
    }
    this.rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
  }

  private accept(bytes: Buffer, { opcode, start, end, final }: Header): void {
    if (opcode === 8) {
      this.sink.streamClosed()
      return
    }
    if (opcode === 9) {
      this.sink.reply(frame(PONG, bytes.toString('latin1', start, end)))
      return
    }
    if (opcode > 2) return
    if (final && this.parts.length === 0) {
      this.message(bytes, start, end)
      return
    }
    this.parts.push(Buffer.from(bytes.subarray(start, end)))
    if (!final) return
    const whole = Buffer.concat(this.parts)
    this.parts = []
    this.message(whole, 0, whole.length)
  }

  private message(bytes: Buffer, start: number, end: number): void {
    const head = bytes.toString('latin1', start, Math.min(end, start + 7))
    if (head.startsWith('<open')) return
    if (head.startsWith('<close')) {
      this.sink.streamClosed()
      return
    }
    this.sink.stanza(bytes, start, end)
  }
}

/** Servers do not mask (RFC 6455 §5.1). */
function readHeader(bytes: Buffer, at: number): Header | undefined {
  if (bytes.length < at + 2) return undefined
  const first = bytes[at]!
  const short = bytes[at + 1]! & 127
  const width = short === 126 ? 2 : short === 127 ? 8 : 0
  if (bytes.length < at + 2 + width) return undefined
  const start = at + 2 + width
  const size =
    width === 0
      ? short
      : width === 2
        ? bytes.readUInt16BE(at + 2)
        : Number(bytes.readBigUInt64BE(at + 2))
  const end = start + size
  return bytes.length < end ? undefined : { opcode: first & 15, start, end, final: first > 127 }
}
