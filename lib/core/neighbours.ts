// The other nodes as this one sees them: a stanza for a session of theirs, the end of one, and what
// they send for ours. The directory may be wrong about who is where; here it learns so.

import type { Bus } from '../cluster/bus.js'
import type { Place } from '../cluster/directory.js'
import type { Envelope } from '../xmpp/envelope.js'
import { StanzaError, StreamError } from '../xmpp/errors.js'
import { encodeEnd, encodeFrame, readFrame } from './frame.js'
import type { Server } from './server.js'
import type { Session } from './session.js'

export class Neighbours {
  readonly #server: Server
  readonly #bus: Bus

  constructor(server: Server, bus: Bus) {
    this.#server = server
    this.#bus = bus
    bus.onFrame((from, frame) => this.#receive(from, frame))
  }

  /** Whether its node was there. */
  write(place: Place, envelope: Envelope): boolean | Promise<boolean> {
    return this.#bus.send(place.node, encodeFrame(place.id, envelope))
  }

  /** Has a session ended, because its address was bound again. */
  end(place: Place): boolean | Promise<boolean> {
    return this.#bus.send(place.node, encodeEnd(place.id))
  }

  // Called by the bus: whatever is wrong with a frame harms nobody else.
  #receive(from: string, frame: Buffer): void {
    try {
      if (this.#server.talk.take(from, frame)) return
      const { session: id, envelope } = readFrame(frame)
      const session = this.#session(id)
      if (!envelope) session?.close(new StreamError('conflict', 'the resource was bound again'))
      else if (!session?.write(envelope)) this.#notThere(id, envelope)
    } catch (error) {
      this.#server.failed('bus', error)
    }
  }

  #session(id: string): Session | undefined {
    for (const host of this.#server.hosts.values()) {
      const session = host.sessions.byId(id)
      if (session) return session
    }
    return undefined
  }

  /** The directory learns it, and who waits for an answer is told (RFC 6120 §8.2.3). */
  #notThere(id: string, envelope: Envelope): void {
    const { directory, router } = this.#server
    const removed = directory.remove(envelope.to.bare.text, id)
    if (removed)
      this.#server.pending(removed.catch((error) => this.#server.failed('directory', error)))
    if (envelope.stanza.kind === 'iq')
      router.refuse(envelope, new StanzaError('service-unavailable'))
  }
}
