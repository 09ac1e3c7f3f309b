// Opening a port, for every kind of listener: on all addresses the machine has (IPv4 alone where
// IPv6 is off), and a reason that an operator understands where it cannot be opened.

import type { AddressInfo, Server } from 'node:net'
import { ConfigError } from '../xmpp/errors.js'

export interface Listener {
  readonly port: number
  /** Accepts nobody any more; connections that are open live on. */
  close(): Promise<void>
}

export interface Place {
  readonly port: number
  /** Undefined: every address of the machine */
  readonly address?: string | undefined
  /** Other processes of ours have it too. */
  readonly shared?: boolean
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

/** Whether several processes may open one port, each for itself, and the system shares out what comes. */
export const mayShare =
  process.platform === 'linux' &&
  (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))

const BACKLOG = 4096
const reasons: Record<string, string> = {
  EADDRINUSE: 'something else listens there already',
  EACCES: 'ports below 1024 need the right to open them (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAFNOSUPPORT: 'this machine does not speak that kind of address',
}

/** `ready` runs before the first connection can come. */
export async function listenOn(server: Server, place: Place, ready: () => void): Promise<void> {
  const addresses = place.address === undefined ? ['::', '0.0.0.0'] : [place.address]
  for (const address of addresses) {
    const error = await tryListen(
      server,
      { port: place.port, host: address, backlog: BACKLOG, reusePort: place.shared && mayShare },
      ready,
    )
    if (!error) return
    const last = address === addresses.at(-1)
    if (last || !['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.code ?? ''))
      throw refusal(place, error)
  }
}

type ListenTo = { port: number; host: string; backlog: number; reusePort: boolean | undefined }

function tryListen(
  server: Server,
  to: ListenTo,
  ready: () => void,
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening)
      resolve(error)
    }
    const listening = (): void => {
      server.off('error', failed)
      // Running out of descriptors is over when one is free again; it must not end the process.
      server.on('error', () => {})
      ready()
      resolve(undefined)
    }
    server.once('error', failed)
    server.once('listening', listening)
    server.listen(to)
  })
}

function refusal({ address, port }: Place, error: NodeJS.ErrnoException): ConfigError {
  const where = address === undefined ? `port ${port}` : `${address} port ${port}`
  const why = reasons[error.code ?? ''] ?? error.message
  return new ConfigError([{ message: `cannot listen on ${where}: ${why}`, path: 'listen' }])
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0
}

export function stopListening(server: Server): Promise<void> {
  // Whether it was open is of no interest to who wants it closed.
  return new Promise((resolve) => server.close(() => resolve()))
}
