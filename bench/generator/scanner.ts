// Finds where stanzas end in a byte stream, without parsing them: a tag scanner that respects
// quoted attribute values. It trusts the server to be well-formed; it is an instrument, not a
// parser. Bytes of an unfinished stanza are copied out, because the chunk given to `feed` is a
// buffer that all connections share.

const LT = 0x3c
const GT = 0x3e
const SLASH = 0x2f
const QUESTION = 0x3f
const APOSTROPHE = 0x27
const QUOTE = 0x22

export interface StanzaSink {
  /** One complete child of the stream root lies in bytes[start, end). Not to be kept. */
  stanza(bytes: Buffer, start: number, end: number): void
  streamClosed(): void
}

export class Scanner {
  private readonly sink: StanzaSink
  private rest: Buffer | undefined
  private depth = 0
  private inTag = false
  private quote = 0
  private tag = 0
  private start = 0
  private restarted = false

  constructor(sink: StanzaSink) {
    this.sink = sink
  }

  /** The next byte belongs to a new stream (RFC 6120 §4.3.3); what is left of the chunk is dropped. */
  restart(): void {
    this.rest = undefined
    this.depth = 0
    this.inTag = false
    this.quote = 0
    this.restarted = true
  }

  feed(chunk: Buffer, length: number): void {
    const rest = this.rest
    this.restarted = false
    if (rest === undefined) {
      this.scan(chunk, 0, length)
      return
    }
    const joined = Buffer.allocUnsafe(rest.length + length)
    joined.set(rest)
    chunk.copy(joined, rest.length, 0, length)
    this.scan(joined, rest.length, joined.length)
  }

  private scan(bytes: Buffer, from: number, end: number): void {
    let i = from
    while (i < end) {
      if (!this.inTag) {
        while (i < end && bytes[i] !== LT) i++
        if (i === end) break
        this.openTag(i++)
      }
      i = this.tagEnd(bytes, i, end)
      if (i === end) break
      this.closeTag(bytes, i++)
      if (this.restarted) return
    }
    this.keep(bytes, end)
  }

  private openTag(at: number): void {
    this.inTag = true
    this.tag = at
    if (this.depth <= 1) this.start = at
  }

  /** The position of the `>` that ends this tag, or `end`. */
  private tagEnd(bytes: Buffer, from: number, end: number): number {
    let quote = this.quote
    let i = from
    for (; i < end; i++) {
      const byte = bytes[i]
      if (quote !== 0) {
        if (byte === quote) quote = 0
      } else if (byte === GT) break
      else if (byte === APOSTROPHE || byte === QUOTE) quote = byte
    }
    this.quote = quote
    return i
  }

  private closeTag(bytes: Buffer, at: number): void {
    this.inTag = false
    const first = bytes[this.tag + 1]
    if (first === QUESTION) return
    if (first === SLASH) {
      if (--this.depth === 0) {
        this.sink.streamClosed()
        return
      }
    } else if (bytes[at - 1] !== SLASH && ++this.depth === 1) return
    if (this.depth === 1) this.sink.stanza(bytes, this.start, at + 1)
  }

  private keep(bytes: Buffer, end: number): void {
    if (!this.inTag && this.depth <= 1) {
      this.rest = undefined
      return
    }
    const from = this.start
    this.rest = Buffer.from(bytes.subarray(from, end))
    this.tag -= from
    this.start = 0
  }
}
