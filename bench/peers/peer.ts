// What the bench knows of a server: whether it is installed, how to configure it in a folder of
// its own, and how to start it. Pinning, waiting, measuring and stopping are the same for all.

import type { Mechanism } from '../generator/scram.js'
import type { RoomPlace } from '../job.js'
import type { Work } from '../work.js'

/** `own` is what the server keeps its archive in by itself. */
export type Store = 'own' | 'sqlite' | 'postgres'

export type Setting = {
  /** Messages are kept. */
  archive: boolean
  store: Store
  /** There are rooms, which keep what is said where the archive is on. */
  rooms?: boolean
  /** Nobody looks for words. */
  unsearched?: boolean
  /** For `postgres`: the address of a database that is this server's alone. */
  database?: string
  /** The address of the Redis that its nodes share. */
  redis?: string
  workers?: number
  /** Where a server whose garbage can be collected on request tells its memory. */
  memory?: string
}

export type Ports = { clear: number; tls: number; http: number }

export type Site = {
  /** A folder that is the server's alone; it survives a restart within one comparison. */
  folder: string
  ports: Ports
  certificate: { chain: string; key: string }
  setting: Setting
}

export type Launch = {
  command: string[]
  environment?: Record<string, string>
  /** The unprivileged user that the server's package expects, where the bench runs as root. */
  user?: string
}

export type Peer = {
  name: string
  title: string
  /** Where the server speaks WebSocket. */
  websocketPath: string
  /** Undefined where the server is not installed; then `missing` says what to do. */
  version(): string | undefined
  missing: string
  /** Where it is not SCRAM-SHA-1 that gets anybody in. */
  mechanism?: Mechanism
  /** What it cannot do is left out of its column. */
  able?(work: Work): boolean
  /** The package that is missing for a store, where one is. */
  lacks?(store: Store): string | undefined
  /** Writes the configuration and says how to start. */
  prepare(site: Site): Launch
  /** Creates the tables that the server expects to find. */
  createTables?(site: Site): Promise<void>
  /** Puts the first so many messages of corpus.ts into the archive of their owner; the server has
   * run once and is stopped. */
  fill?(site: Site, messages: number): Promise<void>
  /** Where its rooms are, and what the form of a new one is to say. */
  room?(setting: Setting): RoomPlace
  /** Tells its memory when asked (collector.ts). */
  tellsMemory?: boolean
  /** Creates accounts directly, where that is much faster than registering in-band. */
  createAccounts?(site: Site, names: readonly string[], password: string): void
  /** The same, of the server that runs already. */
  addAccounts?(site: Site, names: readonly string[], password: string): Promise<void>
  /** Has each of the accounts know so many of the others, before anybody is there. */
  addContacts?(site: Site, names: readonly string[], contacts: number): Promise<void>
}

export const DOMAIN = 'localhost'
