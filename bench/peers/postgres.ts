// PostgreSQL for those servers that keep their archive there: one cluster for the whole comparison,
// on the server's core and on the disk that is measured, with everything on that a crash needs.
// Every server gets databases of its own and reaches them over loopback.
import { join } from 'node:path'
import { Postgres } from '../../test/world/postgres.js'
import { onServerCore } from '../pinning.js'
import { freePort } from './ports.js'

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  fsync: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '300',
}

export type Cluster = {
  pid: number
  /** An empty database's address. */
  database(): Promise<string>
  /** Settles what earlier work left to do. */
  settle(address?: string): Promise<void>
  stop(): Promise<void>
}

/** `launch` goes before the program's command; `folder` has its data. */
export async function startCluster(folder: string, launch: string[] = []): Promise<Cluster> {
  const port = await freePort()
  const postgres = await Postgres.start({
    parent: folder,
    launch: onServerCore(launch),
    settings: { ...SETTINGS, port: String(port) },
  })
  const overLoopback = (address: string) => {
    const { username, pathname } = new URL(address)
    return `postgres://${username}@127.0.0.1:${port}${pathname}`
  }
  return {
    pid: postgres.pid,
    database: async () => overLoopback(await postgres.database()),
    settle: async () => void (await postgres.query('checkpoint')),
    stop: () => postgres.stop(),
  }
}

export const traceFileOf = (folder: string) => join(folder, 'postgres.trace')
