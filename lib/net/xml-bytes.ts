// The way from bytes to wire text. Buffers have had this method since Node began; its public form,
// toString('latin1'), asks about the encoding each time, which on the road of every stanza shows.

import type { Wire } from '../xmpp/element.js'

declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string
  }
}

export function latin1(buf: Buffer, start: number, end: number): Wire {
  return buf.latin1Slice(start, end)
}
