// What the bench knows of a server: whether it is installed, how to configure it in a folder of
// its own, and how to start it. Pinning, waiting, measuring and stopping are the same for all.

import type { Mechanism } from '../generator/scram.js'
import type { Work } from '../works.js'

export type Setting = {
  /** Messages are kept in the server's embedded store. */
  archive: boolean
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
  able?(work: Pick<Work, 'archive' | 'modern' | 'transport' | 'mechanism'>): boolean
  /** Writes the configuration and says how to start. */
  prepare(site: Site): Launch
  /** Creates accounts directly, where that is much faster than registering in-band. */
  createAccounts?(site: Site, names: readonly string[], password: string): void
  /** The same, of the server that runs already. */
  addAccounts?(site: Site, names: readonly string[], password: string): Promise<void>
}

export const DOMAIN = 'localhost'
