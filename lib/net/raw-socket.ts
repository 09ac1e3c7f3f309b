// The one place that uses parts of Node which are not documented: accepted sockets get a read
// buffer that all of them share (as `onread` does for sockets that connect), so reading allocates
// nothing. Where Node does not look as expected the documented way is taken, with the same effect.

import type { Door } from './door.js'
import { type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net'

/** A connection as libuv sees it */
interface Handle {
  close(): void
}

interface Acceptor {
  onconnection?: (status: number, handle?: Handle) => void
}

/** Its `this` is the socket; the chunk is only valid during the call. */
export type Reader = (this: Socket, chunk: Buffer) => void

interface Taking {
  readonly door: Door
  read: Reader
  accept(socket: Socket): void
}

/** As much as libuv reads at once */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * From a server that listens (made with `pauseOnConnect` and `allowHalfOpen`): every connection goes
 * through the door and `accept`, whatever it sends then through `read`. 'own': each has buffers of its own.
 */
export function takeConnections(server: Server, { door, read, accept }: Taking): 'shared' | 'own' {
  const acceptor = (server as unknown as { _handle?: Acceptor })._handle
  if (typeof acceptor?.onconnection !== 'function') {
    server.on('connection', (socket) =>
      door.enter({ begin: () => listenTo(socket, read, accept), refuse: () => socket.destroy() }),
    )
    return 'own'
  }
  const onread = { buffer, callback: sharedReader(read) }
  acceptor.onconnection = (status, handle) => {
    if (status !== 0 || !handle) return
    door.enter({ begin: () => accept(open(handle, onread)), refuse: () => handle.close() })
  }
  return 'shared'
}

function listenTo(socket: Socket, read: Reader, accept: (socket: Socket) => void): void {
  socket.on('data', read)
  socket.resume()
  accept(socket)
}

function open(handle: Handle, onread: OnReadOpts): Socket {
  const options: SocketConstructorOpts & { handle: Handle; onread: OnReadOpts } = {
    handle,
    onread,
    allowHalfOpen: true,
  }
  return new Socket(options)
}

function sharedReader(read: Reader): (this: Socket, size: number) => boolean {
  return function (size) {
    read.call(this, buffer.subarray(0, size))
    return true
  }
}
