// What a transport hands to a stream. Apart from the stream itself, because a transport and a reader
// both say `closed` and mean different things.

import type { TransportReceiver } from '../net/transport.js'
import type { ClientStream } from './client-stream.js'

export class Intake implements TransportReceiver {
  readonly #stream: ClientStream

  constructor(stream: ClientStream) {
    this.#stream = stream
  }

  bytes(chunk: Buffer): void {
    this.#stream.bytes(chunk)
  }

  message(chunk: Buffer): void {
    this.#stream.bytes(chunk)
  }

  closed(reason?: Error): void {
    this.#stream.gone(reason)
  }
}
