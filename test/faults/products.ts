// The servers as the harness wants them: as the bench configures them, archive on, and on the store
// that is asked for.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { ejabberd } from '../../bench/peers/ejabberd.js'
import type { Launch, Peer, Site } from '../../bench/peers/peer.js'
import { prosody } from '../../bench/peers/prosody.js'
import { tercet } from '../../bench/peers/tercet.js'
import { installedVersion } from '../../bench/programs.js'
import type { ServerName, StoreName } from './task.js'

const peers: Record<ServerName, Peer> = { tercet, prosody, ejabberd }

export interface Product {
  version: string
  websocketPath: string
  launch: Launch
}

/** What is missing to run it, in words. */
export function obstacle(server: ServerName, store: StoreName): string | undefined {
  const { version, missing } = peers[server]
  if (version() === undefined) return `${server} is not here: ${missing}`
  if (server !== 'tercet' && store === 'postgres') return `${server} is not set up for PostgreSQL`
  if (server === 'prosody' && store !== 'own') return 'Prosody is set up for its own files only'
  if (server === 'ejabberd' && store === 'sqlite' && !installedVersion('erlang-p1-sqlite3'))
    return 'ejabberd needs erlang-p1-sqlite3 for SQLite'
  return undefined
}

export function product(server: ServerName, site: Site, database: string | undefined): Product {
  const peer = peers[server]
  const launch = peer.prepare(site)
  if (server === 'tercet' && database) launch.command.push('--set', `database=${database}`)
  if (server === 'ejabberd' && database) {
    const file = join(site.folder, 'spool', 'ejabberd.db')
    const lines = `default_db: sql\nsql_type: sqlite\nsql_database: ${file}\n`
    appendFileSync(join(site.folder, 'ejabberd.yml'), lines)
  }
  return { version: peer.version() ?? '', websocketPath: peer.websocketPath, launch }
}
