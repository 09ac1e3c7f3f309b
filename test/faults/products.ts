// The servers as the harness wants them: as the bench configures them, archive on, and on the store
// that is asked for.

import { ejabberd } from '../../bench/peers/ejabberd.js'
import type { Launch, Peer, Site } from '../../bench/peers/peer.js'
import { prosody } from '../../bench/peers/prosody.js'
import { tercet } from '../../bench/peers/tercet.js'
import type { ServerName, StoreName } from './task.js'

const peers: Record<ServerName, Peer> = { tercet, prosody, ejabberd }

export interface Product {
  version: string
  websocketPath: string
}

/** What is missing to run it, in words. */
export function obstacle(server: ServerName, store: StoreName): string | undefined {
  const { version, missing, lacks } = peers[server]
  if (version() === undefined) return `${server} is not here: ${missing}`
  const lacking = lacks?.(store)
  return lacking && `${server} on ${store} needs ${lacking}`
}

export function product(server: ServerName): Product {
  const { version, websocketPath } = peers[server]
  return { version: version() ?? '', websocketPath }
}

/** Writes the configuration; `more` goes beside it, where the server is ours. */
export function launchOf(
  server: ServerName,
  site: Site,
  more: Readonly<Record<string, string>>,
): Launch {
  const launch = peers[server].prepare(site)
  const { database } = site.setting
  const settings = { ...(database && { database }), ...more }
  if (server === 'tercet')
    for (const [key, value] of Object.entries(settings))
      launch.command.push('--set', `${key}=${value}`)
  return launch
}

/** Before the first start */
export async function prepareTables(server: ServerName, site: Site): Promise<void> {
  if (site.setting.store !== 'own') await peers[server].createTables?.(site)
}
