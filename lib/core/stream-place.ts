// What a client's stream sees of the server: the hosts that it may be for, the time, and where it says that
// something is under way, broken or over.

import type { ClientStream } from '../streams/client-stream.js'
import type { StreamSurroundings } from '../streams/surroundings.js'
import type { Server } from './server.js'

export function surroundingsOf(server: Server): StreamSurroundings {
  return {
    clock: server.clock,
    random: server.random,
    get unlimited(): boolean {
      return server.settings.limits === 'off'
    },
    host: (domain) => server.hosts.get(domain),
    pending: (work) => void server.pending(work),
    failed: (error) => server.failed('stream', error),
    ended: (stream) => void server.streams.delete(stream as ClientStream),
  }
}
