// What a server stands on: its database and the log in it, its modules, the other nodes.

import type { Cluster, Neighbourhood } from '../cluster/cluster.js'
import { MemoryCluster } from '../cluster/memory.js'
import type { Clock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Random } from '../ops/random.js'
import { Database } from '../storage/database.js'
import { type MessageLog, openMessageLog } from '../storage/message-log.js'
import { sharedSecret } from '../storage/shared-secrets.js'
import { Whereabouts } from '../storage/whereabouts.js'
import { findModules } from './loader.js'
import type { Module } from './module.js'
import type { ServerSettings } from './settings.js'

const SECRET = 32

interface Wanted {
  readonly settings: ServerSettings
  readonly modules: readonly Module[] | undefined
  readonly cluster: Cluster | undefined
  readonly node: string
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

export interface Resources {
  readonly database: Database
  readonly messages: MessageLog
  /** Where there may be several nodes */
  readonly whereabouts: Whereabouts | undefined
  readonly modules: readonly Module[]
  readonly neighbourhood: Neighbourhood
  /** Of this node: a new one with each start */
  readonly life: string
}

export async function openResources(wanted: Wanted): Promise<Resources> {
  const { settings, node, clock, log, random } = wanted
  const { database: url, data: folder, durability } = settings
  const life = random.id()
  const [database, modules] = await Promise.all([
    Database.open({ url, folder, durability, life }),
    wanted.modules ?? findModules(),
  ])
  try {
    const several = wanted.cluster !== undefined && database.kind === 'postgres'
    const messages = await openMessageLog(database, clock, several)
    const secret = () => sharedSecret(database, 'bus', () => random.bytes(SECRET))
    const whereabouts = several ? await Whereabouts.open(database, life) : undefined
    const joining = { node, life, clock, log, secret }
    const neighbourhood = await (wanted.cluster ?? new MemoryCluster()).join(joining)
    return { database, messages, whereabouts, modules, neighbourhood, life }
  } catch (error) {
    await database.close()
    throw error
  }
}
